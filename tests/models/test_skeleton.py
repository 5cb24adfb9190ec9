"""The skeleton that a head is exported with."""

import roma
import torch

from morphface.models import gaze_rotation, load_model, skeleton_of
from morphface.models.skeleton import JOINTS
from tests.jointed import articulated

HEAD, JAW, EYES = (list(JOINTS).index(name) for name in ("Head", "Jaw", "LeftEye"))
GAZE = torch.tensor([[0.3, -0.1], [0.2, 0.15]])


def posed(skeleton, vertices, joint, turn):
    """Vertices after one joint has turned, its children with it."""
    place, rotation = skeleton.places[joint], roma.rotvec_to_rotmat(turn)
    moved = [skeleton.weights[:, joint : joint + 1]]
    if joint == HEAD:
        moved.append(skeleton.weights[:, JAW:].sum(1, keepdim=True))
    share = torch.cat(moved, dim=1).sum(1, keepdim=True)
    return vertices + share * ((vertices - place) @ (rotation - torch.eye(3)).T)


def test_an_eye_s_joint_turns_the_eye_as_gaze_does(rng):
    head, identity = load_model(), torch.randn(80, generator=rng)
    skeleton = skeleton_of(head, identity, GAZE)
    straight, turned = (head.vertices(identity, torch.zeros(52), g) for g in (None, GAZE))
    for side, eye in enumerate(head.eyes):
        found = posed(skeleton, straight, EYES + side, skeleton.turns[EYES + side])
        torch.testing.assert_close(found[eye.vertices], turned[eye.vertices], atol=1e-3, rtol=0)
        rotation = roma.rotvec_to_rotmat(skeleton.turns[EYES + side])
        torch.testing.assert_close(rotation, gaze_rotation(GAZE[side]), atol=1e-5, rtol=0)


def test_the_jaw_s_joint_moves_teeth_and_chin_as_an_open_jaw_does(rng):
    head, identity = load_model(), torch.randn(80, generator=rng)
    skeleton, weights = skeleton_of(head, identity, torch.zeros(2, 2)), torch.zeros(52)
    weights[head.expression.names.index("jawOpen")] = 1.0
    rest, wanted = head.vertices(identity, torch.zeros(52)), head.vertices(identity, weights)
    away = (posed(skeleton, rest, JAW, skeleton.opened) - wanted).norm(dim=-1)
    assert away[head.regions["teeth"] > 0.5].max() < 1.0
    assert away[head.regions["face"] > 0.5].mean() < 1.5
    assert (wanted - rest).norm(dim=-1).max() > 30


def test_the_head_s_joint_carries_all_but_the_neck():
    head = load_model()
    skeleton = skeleton_of(head, torch.zeros(80), torch.zeros(2, 2))
    torch.testing.assert_close(skeleton.weights.sum(1), torch.ones(head.size))
    turn = torch.tensor([0.0, 0.5, 0.0])
    moved = posed(skeleton, head.identity.mean, HEAD, turn)
    rigid = (head.identity.mean - skeleton.places[HEAD]) @ roma.rotvec_to_rotmat(turn).T
    away = (moved - skeleton.places[HEAD] - rigid).norm(dim=-1)
    assert away[head.identity.mean[:, 2] > 0].max() < 0.1
    assert (moved == head.identity.mean).all(1).sum() > 20  # where the neck ends


def test_a_model_without_such_parts_has_no_skeleton(toy):
    assert skeleton_of(toy, torch.zeros(6), torch.zeros(2, 2)) is None
    model = articulated()
    assert skeleton_of(model, torch.zeros(model.identity.rank), torch.zeros(2, 2)) is None
