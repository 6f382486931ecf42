"""Own data from predictions, the JSON of `predict`: pseudo-labels."""

import os
from typing import Any

from deephar.data.custom_drafts import Draft, MakeDraft
from deephar.data.custom_matching import Labelled, share_inside
from deephar.data.custom_naming import named_links
from deephar.data.placed_json import JsonFile, Node
from deephar.data.records import are_numbers

FORMAT = "deephar-predictions"
"""What `format` of these files says."""
_LEAST = 0.5
"""So great a part of the joints of a person must be sure."""


def from_predictions(
    path: str | os.PathLike,
    make: MakeDraft,
    confidence: float = 0.5,
) -> Draft:
    """Reads a file of predictions.

    Joints of less confidence are not labelled; people of whom fewer than half of the
    joints are left are left out. Of a video, or of pictures seen as one, every numbered
    person becomes a clip; what is done is the answer where its score reaches the
    confidence.

    Args:
        path: The file.
        make: Makes the draft of the joints' names and links.
        confidence: Least confidence of a joint, and score of an action.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not as it should be, told by file and line.
    """
    file = JsonFile(path)
    top = file.root and file.root.having("format", "layout", "frames")
    if top:
        top["format"].one_of((FORMAT,))
    layout = top and top["layout"].having("joint_names", "links")
    names = layout and layout["joint_names"].texts(1)
    links = names and named_links(layout["links"], names, 0)
    file.check()
    draft = make(names, links)
    reader = _Reader(draft, confidence, names)
    for node in top["frames"].items() or []:
        reader.frame(node)
    file.check()
    reader.finish()
    return draft


class _Reader:
    """Brings frames into a draft."""

    def __init__(self, draft: Draft, confidence: float, names: list[str]):
        self.draft, self.confidence, self.names = draft, confidence, names
        self.film: dict[int, tuple] = {}

    def frame(self, node: Node) -> None:
        """Takes a picture, or a frame of a video."""
        parts = node.having("source", "number", "time", "size", "people")
        if not parts:
            return
        source, video = parts["source"].text(), parts["time"].value is not None
        number = parts["number"].number("an integer from 1", 1, True)
        if node.value.get("error"):
            self.draft.lost["frames that could not be read"] += 1
            return
        size, people, tracks = parts["size"].size(), [], {}
        for one in parts["people"].items() or []:
            found = self.person(one)
            if found is None:
                continue
            if not video:
                people.append(found)
            elif one.value.get("id") is None:
                self.draft.lost["people of videos without a number"] += 1
            elif (name := one.at("id").key()) is not None:
                tracks[name] = found, self.action(one.value.get("action"))
        if video:
            self.film[number] = source, size, tracks
        elif source:
            self.draft.add_picture(source, size, people)

    def person(self, node: Node) -> Labelled | None:
        """Returns a person; None if too little of him is sure."""
        parts = node.having("box", "pose")
        if not parts:
            return None
        if not isinstance(parts["pose"].value, dict):
            self.draft.lost["people without a pose"] += 1
            return None
        joints = parts["pose"].having("joints")
        by_name = joints and joints["joints"].having(*self.names)
        points = {}
        for name, joint in by_name.items() if by_name else ():
            place = joint.having("x", "y", "confidence")
            values = [one.value for one in place.values()] if place else None
            if are_numbers(values, (3,)) and values[2] >= self.confidence:
                points[name] = (float(values[0]), float(values[1]), True)
                self.draft.lost["depths of joints"] += "z" in joint.value
            else:
                self.draft.lost[
                    f"joints of less confidence than {self.confidence}"
                ] += 1
        if len(points) < _LEAST * len(self.names):
            self.draft.lost[
                "people of whom fewer than half of the joints are left"
            ] += 1
            return None
        box = parts["box"].value or parts["pose"].value.get("box")
        if not are_numbers(box, (4,)):
            return Labelled(points)
        found = Labelled(points, tuple(map(float, box)))
        if share_inside(found, found) > 0:
            return found
        self.draft.lost["people without a joint in their box"] += 1
        return None

    def action(self, value: Any) -> str | None:
        """Returns what is done, where it is sure."""
        if not isinstance(value, dict) or not value.get("answer"):
            return None
        score = value.get("score")
        if are_numbers(score, ()) and score >= self.confidence:
            return str(value["answer"])
        self.draft.lost[f"actions of a lower score than {self.confidence}"] += 1
        return None

    def finish(self) -> None:
        """Adds the clips of those who are numbered."""
        everybody = (name for *_, tracks in self.film.values() for name in tracks)
        for name in dict.fromkeys(everybody):
            self.clip(name)

    def clip(self, name: int | str) -> None:
        """Adds the clip of a person."""
        sources = [self.film[number][0] for number in sorted(self.film)]
        of_pictures = len(set(sources)) > 1
        labels, actions = {}, {}
        for place, number in enumerate(sorted(self.film), 1):
            _, size, tracks = self.film[number]
            found, action = tracks.get(name, (None, None))
            entry = found and self.draft.person(found, size)
            if entry:
                key = place if of_pictures else int(number)
                labels[key], actions[key] = entry, action
        if not labels:
            return
        film = os.path.dirname(sources[0]) if of_pictures else sources[0]
        clip = {"name": f"{film} person {name}", "split": self.draft.part}
        if of_pictures:
            frames = [
                {"file": self.draft.path(source), **labels.get(place, {})}
                for place, source in enumerate(sources, 1)
            ]
            self.draft.add_clip(clip, actions, frames=frames)
            return
        clip["size"] = list(size)
        labelled = [{"frame": number, **one} for number, one in labels.items()]
        video = self.draft.path(film)
        self.draft.add_clip(clip, actions, video=video, labels=labelled)
