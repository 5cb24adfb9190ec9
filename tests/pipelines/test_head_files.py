import pytest
import torch

from morphface.fit import fit_linear
from morphface.fit.fitted import FittedFace
from morphface.media.images import Photo
from morphface.pipelines.head_files import rigged_head
from tests.fit.synthetic import SIZE, scene
from tests.jointed import articulated


@pytest.mark.parametrize("jaw", [0.0, -0.5])
def test_the_rig_of_a_model_with_joints_opens_as_the_fitted_head(jaw):
    model = articulated().map(lambda t: t.float() if t.is_floating_point() else t)
    expression = torch.zeros(1, model.expression.rank)
    expression[0, model.expression.names.index("jaw_pitch")] = jaw
    given = scene(model, 2, expression=expression)
    fit = fit_linear(model, given.landmarks, size=SIZE, focal=900.0)
    face = FittedFace(fit, model, {})
    head = rigged_head(face, Photo(torch.full((*SIZE, 3), 0.5), source="grey"))
    opened = head.vertices + sum(head.weights[n] * head.targets[n] for n in head.targets)
    exact = model.vertices(fit.parameters.identity, fit.parameters.expression)[0]
    torch.testing.assert_close(opened, exact, rtol=0, atol=1e-2)


def test_the_rig_at_its_weights_is_the_fitted_head(known):
    face = known.faces[0]
    rig = rigged_head(face, known.photo)
    posed = rig.vertices + sum(rig.weights[name] * rig.targets[name] for name in rig.targets)
    assert rig.weights["jawOpen"] == pytest.approx(0.25)
    assert list(rig.targets) == list(face.model.expression.names)
    torch.testing.assert_close(posed, face.vertices(), atol=1e-3, rtol=0)
