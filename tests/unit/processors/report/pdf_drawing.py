"""What a PDF page draws, read back from its operators: the strokes in page coordinates."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pypdf import PdfReader
from pypdf.generic import ContentStream

POINTS_PER_MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Stroke:
    """One path that was drawn: points of shape (count, 2) in mm of the page, one array per pen-down run."""

    runs: tuple[NDArray[np.float64], ...]

    @property
    def points(self) -> int:
        return sum(len(run) for run in self.runs)


def reader(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf), strict=True)


def page_texts(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in reader(pdf).pages]


def strokes(pdf: bytes, page: int = 0) -> list[Stroke]:
    """Every stroked path of a page. The transformation matrix is followed, so that scale is what a printer sees."""
    source = reader(pdf).pages[page]
    matrix, saved = np.eye(3), []
    path: list[list[NDArray[np.float64]]] = []
    drawn: list[Stroke] = []
    for operands, operator in ContentStream(source.get_contents(), source.pdf).operations:
        match operator:
            case b"q":
                saved.append(matrix)
            case b"Q":
                matrix = saved.pop()
            case b"cm":
                a, b, c, d, e, f = map(float, operands)
                matrix = np.array([[a, b, 0], [c, d, 0], [e, f, 1]]) @ matrix
            case b"m":
                path.append([_mm(operands, matrix)])
            case b"l":
                path[-1].append(_mm(operands, matrix))
            case b"S" | b"s":
                drawn.append(Stroke(tuple(np.array(run) for run in path)))
                path = []
            case b"n" | b"f" | b"f*":
                path = []
    return drawn


def _mm(operands: list[object], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = (float(str(value)) for value in operands)
    return (np.array([x, y, 1]) @ matrix)[:2] / POINTS_PER_MM
