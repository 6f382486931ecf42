"""A page in the browser: networks look at a picture, a clip or the webcam.

    python -m deephar demo-app
    python -m deephar demo-app film.mp4 --port 8080
    python -m deephar demo-app --weights runs/penn/weights_best.weights.h5

The page shows the people, their poses in space and their actions over time, and cuts
the network at any of its blocks. Nothing of it comes from the net, and nothing goes
there. The server is reached from this machine alone, unless --host says otherwise;
Ctrl-C ends it, and removes all that was uploaded. A FILE is looked at first.
"""

import argparse
import logging
import pathlib
import socket
from collections.abc import Sequence

from deephar.commands import command_parser, say
from deephar.demo.limits import Limits
from deephar.utils.extras import load_extra
from deephar.utils.machine import CHOSEN_PRECISIONS
from deephar.utils.numbers import natural, positive_float, positive_int


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    usual = Limits()
    parser = command_parser("demo-app", __doc__)
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="a picture or clip to look at first")
    add("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    add("--port", type=natural, default=8000, help="0 for any (%(default)s)")
    allow = "a further name that the server may be asked by; give it for each"
    add("--allow-host", action="append", default=[], metavar="NAME", help=allow)
    weights = "a file, or a name (small_pose for pictures, small_action for clips)"
    add("--weights", metavar="FILE|NAME", help=weights)
    lifts = parser.add_mutually_exclusive_group()
    lift = "3D poses of clips, of 2D networks: a file, or a name (small_lift)"
    lifts.add_argument("--lift", metavar="FILE|NAME", help=lift)
    lifts.add_argument("--no-lift", action="store_true", help="no 3D poses")
    add("--device", metavar="cpu|gpu|gpu:N", help="where to compute (Keras's choice)")
    precision = {"choices": CHOSEN_PRECISIONS, "default": "float32"}
    add("--precision", help="of the networks (%(default)s)", **precision)
    people = "in a frame, at most (%(default)s)"
    add("--people", type=positive_int, default=4, metavar="N", help=people)
    size = {"type": positive_float, "metavar": "MB"}
    add("--max-mb", default=usual.max_mb, help="of a file (%(default)g)", **size)
    time = {"type": positive_float, "metavar": "S"}
    length = "of a clip that are looked at (%(default)g)"
    add("--max-seconds", default=usual.max_seconds, help=length, **time)
    timeout = "that receiving, reading and looking may take each (%(default)g)"
    add("--timeout", default=usual.timeout, help=timeout, **time)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Serves the page until Ctrl-C.

    Raises:
        OSError: if a file or the address cannot be had.
        ValueError: if weights do not fit, or packages are missing.
    """
    args = parse(argv)
    load_extra("starlette.applications", "app")
    load_extra("uvicorn", "app")
    # Not at the top: Keras takes seconds, and --help has no need of it.
    from deephar.demo.app import LOCAL, Demo
    from deephar.demo.networks import Networks
    from deephar.demo.serving import page_server
    from deephar.networks import SMALL_LIFT

    if args.file is not None and not pathlib.Path(args.file).is_file():
        raise FileNotFoundError(f"no such picture or clip: {args.file}")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    limits = Limits(
        max_mb=args.max_mb, max_seconds=args.max_seconds, timeout=args.timeout
    )
    with listening(args.host, args.port) as place:
        lift = None if args.no_lift else args.lift or SMALL_LIFT.name
        networks = Networks(args.weights, lift, args.device, args.precision)
        told = dict.fromkeys(networks.load())
        if args.lift and not networks.lifts:
            raise ValueError(
                "--lift makes 3D poses of 2D ones of MPII's, COCO's or Human3.6M's "
                f"joints. Received: --lift {args.lift} with {', '.join(told)}"
            )
        say(f"looks by the weights {', '.join(told)}")
        hosts = (*LOCAL, args.host, *args.allow_host)
        demo = Demo(networks, limits, hosts, args.people)
        try:
            first = demo.add_file(pathlib.Path(args.file)).id if args.file else None
            say(address(args.host, place.getsockname()[1], first))
            if args.host not in LOCAL:
                say(
                    f"{args.host} may be reached by others: there is no password, and "
                    "nothing is encrypted"
                )
            page_server(demo.app, log_level="warning").run(sockets=[place])
        finally:
            demo.close()


def listening(host: str, port: int) -> socket.socket:
    """A socket at an address.

    Raises:
        OSError: if it cannot be had; the message names the flags.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise OSError(
            f"--host {host} --port {port}: cannot listen there: {error}"
        ) from error


def address(host: str, port: int, upload: str | None = None) -> str:
    """Where the page is."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"#{upload}" if upload else "")
