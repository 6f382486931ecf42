"""Own data from CVAT's XML: "CVAT for images 1.1" and "CVAT for video 1.1".

Source of the format: https://docs.cvat.ai/docs/other/xml_format
"""

import collections
import os
import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from deephar.data.custom_drafts import Draft, MakeDraft
from deephar.data.custom_matching import Labelled, gather_points, join_boxes
from deephar.data.safe_xml import read_xml
from deephar.utils.messages import shown

SHAPES = ("box", "skeleton", "points", "tag")
"""What is brought over."""
_OTHERS = ("polygon", "polyline", "cuboid", "mask", "ellipse")
_ATTRIBUTES = "attributes (of a track `action` is brought over)"
_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_SUBSETS = {"train": "train", "validation": "valid", "val": "valid", "test": "test"}
_TAG = re.compile(r"<(line|circle)\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


def from_cvat(
    path: str | os.PathLike,
    make: MakeDraft,
    category: str | None = None,
    video: str | None = None,
) -> Draft:
    """Reads an export of a task.

    Skeletons and points become joints (occluded ones hidden, those outside not
    labelled), boxes theirs, also where there are no joints at all; tags of pictures
    are kept for clips. A track of a video becomes a clip; its action is what its
    attribute `action` says. Of a project each track is in the video of its task.

    Args:
        path: The XML file.
        make: Makes the draft of the joints' names and links. CVAT's subsets Train,
            Validation and Test go before its part.
        category: Label of the skeletons, or of the boxes where there are no joints;
            None where there is one.
        video: Of a video's tracks: its path in the folder; None for what the tasks say.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not as it should be, or there is no such label, or several.
    """
    root = read_xml(path)
    if root.tag != "annotations":
        raise ValueError(
            f"{path} must be an export of CVAT, <annotations>. Received: <{root.tag}>"
        )
    label = _choose(path, root, category)
    names, links = _joints(root, label)
    if not names and root.find(".//box") is None:
        raise ValueError(f"{path} must have skeletons, points or boxes. Received: none")
    draft = make(names, links)
    reader = _Reader(os.fspath(path), draft, label, names)
    for image in root.iter("image"):
        reader.picture(image)
    tracks = list(root.iter("track"))
    if tracks:
        reader.tracks(tracks, root, video)
    return draft


def _choose(path, root: Element, category: str | None) -> str | None:
    """Returns the label of people; None where there are single points alone."""
    labels = {one.get("label") for one in root.iter("skeleton") if one.get("label")}
    labels |= {
        track.get("label")
        for track in root.iter("track")
        if track.find("skeleton") is not None
    }
    what = "skeletons"
    if not labels and root.find(".//points") is None:
        what = "boxes"
        tracks = [one for one in root.iter("track") if one.find("box") is not None]
        owners = [*root.iter("box"), *tracks]
        labels = {one.get("label") for one in owners if one.get("label")}
    chosen = [one for one in sorted(labels) if category in (None, one)]
    if len(chosen) == 1 or (not labels and category is None):
        return chosen[0] if chosen else None
    raise ValueError(
        f"{path}: one label of {what} must be taken. "
        f"Received: category={shown(category)}; there are: {', '.join(sorted(labels))}"
    )


def _joints(root: Element, label: str | None) -> tuple[list[str], list[list[str]]]:
    """Returns names of joints, and links of the skeleton.

    They are in the task's order; those that it does not tell are sorted, behind.
    """
    if label is None:
        return sorted(_labels(root.iter("points"))), []
    names, links, seen = [], [], set()
    for one in root.iter("label"):
        if one.findtext("parent") == label and one.findtext("name"):
            names.append(one.findtext("name"))
        if one.findtext("name") == label and one.findtext("svg"):
            links = _links(one.findtext("svg"))
    for skeleton in root.iter("skeleton"):
        if skeleton.get("label", label) == label:
            seen |= _labels(skeleton.iter("points"))
    names = list(dict.fromkeys([*names, *sorted(seen)]))
    return names, [pair for pair in links if set(pair) <= set(names)]


def _labels(shapes: Iterable[Element]) -> set[str]:
    return {one.get("label") for one in shapes if one.get("label")}


def _links(svg: str) -> list[list[str]]:
    """Returns the edges of a drawn skeleton as pairs of names."""
    names, edges = {}, []
    for kind, text in _TAG.findall(svg):
        values = dict(_ATTRIBUTE.findall(text))
        if kind == "circle":
            names[values.get("data-node-id")] = values.get("data-label-name")
        else:
            edges.append([values.get("data-node-from"), values.get("data-node-to")])
    named = ([names.get(one) for one in edge] for edge in edges)
    return [edge for edge in named if None not in edge and edge[0] != edge[1]]


class _Reader:
    """Brings pictures and tracks of a file into a draft."""

    def __init__(self, path, draft: Draft, label: str | None, names: list[str]):
        self.path, self.draft, self.label = path, draft, label
        self.names = set(names)

    def picture(self, image: Element) -> None:
        """Adds a picture."""
        name = image.get("name")
        if not name:
            raise ValueError(f"{self.path}: an image must have a name. Received: none")
        owner = f"{self.path}: image {name}"
        size = [int(_number(owner, image, key)) for key in ("width", "height")]
        people = self.people(owner, image)
        tags = [one.get("label", "") for one in image.iter("tag") if one.get("label")]
        self.draft.lost[_ATTRIBUTES] += len(list(image.iter("attribute")))
        part = _SUBSETS.get(image.get("subset", "").lower())
        self.draft.add_picture(name, size, people, part, tags)

    def people(self, owner: str, shapes: Element) -> list[Labelled]:
        """Returns those whom the shapes of a picture, or of a track's frame, show."""
        boxes, people, single, grouped = [], [], [], collections.defaultdict(dict)
        for one in shapes:
            group = one.get("group_id", "0")
            group = None if group == "0" else group
            if one.tag == "box" and self.is_person(one):
                corners = tuple(_number(owner, one, key) for key in _CORNERS)
                turned = "rotation" in one.keys() and _number(owner, one, "rotation")
                self.draft.lost["turned boxes, now upright"] += bool(turned)
                boxes.append(Labelled({}, corners, group))
            elif one.tag == "skeleton" and one.get("label", self.label) == self.label:
                points = dict(self.points(owner, one.iter("points")))
                people.append(Labelled(points, None, group))
            elif one.tag == "points":
                for name, point in self.points(owner, [one]):
                    if group:
                        grouped[group].setdefault(name, point)
                    else:
                        single.append((name, point))
            elif one.tag in (*_OTHERS, *SHAPES) and one.tag != "tag":
                other = one.tag in SHAPES
                self.draft.lost[f"{one.tag}{' of other labels' * other}"] += 1
        people += [Labelled(points, None, key) for key, points in grouped.items()]
        seen = [one for one in people if one.points]
        away = len(people) - len(seen)
        self.draft.lost["skeletons without a point in the picture"] += away
        people = join_boxes(boxes, seen)
        alone, lost = gather_points(single, [one for one in people if one.box])
        self.draft.lost["points that are nobody's"] += lost
        return people + alone

    def is_person(self, box: Element) -> bool:
        """Tells whether a box is somebody's: by label, where skeletons have one."""
        label = box.get("label", self.label)
        return self.label in (None, label) or (label or "").lower() == "person"

    def points(self, owner: str, shapes: Iterable[Element]):
        """Yields name and place of points that are not outside."""
        for one in shapes:
            name, text = one.get("label", ""), one.get("points", "")
            if one.get("outside") == "1":
                continue
            if name not in self.names or ";" in text:
                self.draft.lost["points that are no joint"] += 1
                continue
            try:
                x, y = (float(value) for value in text.split(","))
                if not abs(x) + abs(y) < float("inf"):
                    raise ValueError("not finite")
            except ValueError as error:
                raise ValueError(
                    f'{owner}: points of {name} must be "x,y". Received: {shown(text)}'
                ) from error
            yield name, (x, y, one.get("occluded") != "1")

    def tracks(self, tracks: list[Element], root: Element, video: str | None) -> None:
        """Adds a clip for every track of people."""
        tasks = {one.findtext("id"): one for one in root.iter("task")}
        of_tasks = collections.defaultdict(list)
        for track in tracks:
            of_tasks[track.get("task_id"), track.get("subset", "")].append(track)
        if video and len({number for number, _ in of_tasks}) > 1:
            raise ValueError(f"{self.path} has tracks of several tasks: not of --video")
        for (number, subset), some in of_tasks.items():
            told = tasks.get(number, root.find("meta"))
            source = None if told is None else told.findtext(".//source")
            if not (video or source):
                raise ValueError(f"{self.path} must tell its <source>: say --video")
            part = _SUBSETS.get(subset.lower(), self.draft.part)
            self.video(some, video or source, self.size(told), part)

    def size(self, told: Element | None) -> list[int] | None:
        """Returns (w, h) of a video, px, as its task tells; None if it does not."""
        found = None if told is None else told.find(".//original_size")
        if found is None:
            return None
        sides = Element("original_size", {one.tag: one.text or "" for one in found})
        return [int(_number(self.path, sides, key)) for key in ("width", "height")]

    def video(self, tracks, video: str, size: list[int] | None, part: str) -> None:
        """Adds a clip for every track of people of a video."""
        for name, track in _joined(self.path, tracks).items():
            owner = f"{self.path}: {name}"
            labels, actions = [], {}
            for frame, shapes in sorted(track.items()):
                number = frame + 1  # those of exports count from 0 in the video
                holder = Element("frame")
                holder.extend(one for one in shapes if one.get("outside") != "1")
                people = self.people(owner, holder)
                self.draft.lost[_ATTRIBUTES] += sum(map(_is_lost, holder.iter()))
                if people:
                    person = self.draft.person(people[0], size)
                    self.draft.lost["people of a track beside the first"] += (
                        len(people) - 1
                    )
                    if person:
                        labels.append({"frame": number, **person})
                        actions[number] = _action(shapes)
            if labels:
                entry = {"name": f"{video} {name}", "split": part}
                entry.update({"size": size} if size else {})
                path = self.draft.path(video)
                self.draft.add_clip(entry, actions, video=path, labels=labels)
            else:
                self.draft.lost["tracks without a person"] += 1


def _joined(path: str, tracks: list[Element]) -> dict[str, dict[int, list[Element]]]:
    """Returns by name of a track, or of a group of tracks, its shapes by frame."""
    found = {}
    for number, track in enumerate(tracks):
        group = track.get("group_id", "0")
        name = f"group {group}" if group != "0" else f"track {track.get('id', number)}"
        frames = found.setdefault(name, collections.defaultdict(list))
        for shape in track:
            shape.attrib.setdefault("label", track.get("label", ""))
            shape.attrib.pop("group_id", None)
            frames[int(_number(f"{path}: {name}", shape, "frame"))].append(shape)
    return found


def _action(shapes: Iterable[Element]) -> str | None:
    """Returns what the attribute `action` of a shape says."""
    for shape in shapes:
        for one in shape.iter("attribute"):
            if one.get("name", "").lower() == "action" and (one.text or "").strip():
                return one.text.strip()
    return None


def _is_lost(element: Element) -> bool:
    """Tells whether an element is an attribute that is not brought over."""
    return element.tag == "attribute" and element.get("name", "").lower() != "action"


def _number(owner: str, element: Element, key: str) -> float:
    try:
        value = float(element.get(key, ""))
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise ValueError(
            f"{owner}: `{key}` of {element.tag} must be a number. "
            f"Received: {shown(element.get(key))}"
        )
    return value
