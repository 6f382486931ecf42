"""People for the benchmarks: in windows of one side, or made on the spot."""

import dataclasses

import numpy as np
from PIL import Image

from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson, mpii_format
from deephar.data.synthetic import make_sample
from deephar.utils.pose import pa16j2d

SIZE = (1280, 720)


class Windows(MpiiSinglePerson):
    """People of MPII, each in a window of a given side."""

    def __init__(self, folder, side, angle, cache=None):
        config = dataclasses.replace(mpii_sp_dataconf, angles=(angle,), scales=(1,))
        super().__init__(folder, config, pa16j2d, cache=cache)
        self.side = side

    def person(self, key, mode, augmentation):
        person = super().person(key, mode, augmentation)
        return dataclasses.replace(person, window=(self.side, self.side))


def write_people(folder, count):
    """Generated people in large pictures with the grain of a camera."""
    (folder / "images").mkdir()
    rng, people = np.random.default_rng(0), []
    for i in range(count):
        sample = make_sample(0, i)
        size = sample.picture.shape[1::-1]
        picture = np.asarray(Image.fromarray(sample.picture).resize(SIZE))
        grain = picture + rng.normal(0, 3, picture.shape)
        picture = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))
        picture.save(folder / "images" / f"{i}.jpg", quality=80)
        x, y = np.array(SIZE) / size
        labels = sample.labels
        people.append(
            mpii_format.MpiiPerson(
                picture=f"{i}.jpg",
                head=labels.head * [x, y, x, y],
                objpos=labels.objpos * [x, y],
                scale=labels.scale,
                pose=labels.mpii_pose() * [x, y],
            )
        )
    mpii_format.write_annotations(folder / "annotations.mat", people, people[:1])
