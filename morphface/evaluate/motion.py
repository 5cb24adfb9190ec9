"""How steady a sequence is, and how well landmarks agree."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.evaluate.score import Measure
from morphface.render.flow import warp_by_flow

__all__ = ["MEASURES", "akd", "jitter", "warping_error"]

SIDE = 256.0

MEASURES = {
    "akd": Measure(
        "AKD",
        "pixels at 256",
        "lower",
        "mean distance of detected landmarks, the picture's longer side scaled to 256",
    ),
    "jitter": Measure(
        "jitter", "pixels", "lower", "mean absolute second difference of landmarks over time"
    ),
    "jitter_expression": Measure(
        "jitter of expression",
        "",
        "lower",
        "mean absolute second difference of expression coefficients over time",
    ),
    "warping_error": Measure(
        "warping error",
        "of 255",
        "lower",
        "mean absolute difference to the frame before, warped by the flow, where both are seen",
    ),
}


def akd(
    result: Float[Tensor, "T N 2"], reference: Float[Tensor, "T N 2"], *, side: float
) -> Float[Tensor, " T"]:
    """Mean distance of landmarks, in pixels of a picture with sides of 256.

    Args:
        result: detected in the pictures that were made; NaN where no face was found.
        reference: detected in what they should be.
        side: of the pictures in pixels, the longer one.

    Raises:
        ShapeError: the landmarks are not as many.
        ParameterError: `side` is not positive.
    """
    check_shape("result", result, *reference.shape)
    if not side > 0:
        raise ParameterError(f"side must be positive, got {side:g}")
    return (result - reference).norm(dim=-1).mean(dim=-1) * (SIDE / side)


def jitter(points: Float[Tensor, "T *N C"]) -> Float[Tensor, " S"]:
    """Mean absolute second difference over time: 0 for what is still or moves evenly.

    Args:
        points: positions or coefficients, evenly spaced in time.

    Returns:
        One value for each frame that has a neighbour on both sides.

    Raises:
        ParameterError: there are fewer than three frames.
    """
    if len(points) < 3:
        raise ParameterError(f"points must have at least 3 frames, got {len(points)}")
    second = points[2:] - 2 * points[1:-1] + points[:-2]
    return second.abs().flatten(1).mean(dim=1)


def warping_error(
    frames: Float[Tensor, "T H W C"],
    flow: Float[Tensor, "S H W 2"],
    visible: Bool[Tensor, "S H W"],
) -> Float[Tensor, " S"]:
    """How far each frame differs from the one before it, carried along by the motion.

    On the 0-255 scale; not a number where nothing is visible in both.

    Args:
        frames: of a video.
        flow: from each pixel of every frame but the first to where it was in the frame before, in
            pixels.
        visible: whether it was seen there.

    Raises:
        ShapeError: flow and visibility have not one row for each pair of frames.
    """
    count, height, width, _ = frames.shape
    check_shape("flow", flow, count - 1, height, width, 2)
    check_shape("visible", visible, count - 1, height, width)
    rows, columns = torch.meshgrid(
        torch.arange(height, device=flow.device) + 0.5,
        torch.arange(width, device=flow.device) + 0.5,
        indexing="ij",
    )
    place = torch.stack([columns, rows], dim=-1) + flow
    inside = visible & ((place >= 0) & (place <= flow.new_tensor([width, height]))).all(dim=-1)
    difference = (frames[1:] - warp_by_flow(frames[:-1], flow)).abs().mean(dim=-1) * inside
    return 255 * difference.sum(dim=(1, 2)) / inside.sum(dim=(1, 2))
