"""What a user of `funcatron dev` waits for."""

import os
import pathlib
import shutil
import statistics
import time

from harness import free_port, get, process, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent


def dev(binary: pathlib.Path, folder: pathlib.Path, port: int, state: pathlib.Path) -> list:
    return [binary, "dev", folder, "--port", str(port), "--admin-port", "0", "--state", state]


def copy_func(name: str, to: pathlib.Path) -> pathlib.Path:
    to.mkdir(parents=True)
    for part in ("funcatron.yaml", "index.js", "func.wasm"):
        source = ROOT / "funcs" / name / part
        if source.exists():
            shutil.copy(source, to / part)
    return to


def start_times(binary: pathlib.Path, scratch: pathlib.Path, repeats: int) -> dict:
    """Process start to first 200, with nothing cached and with the cache of an earlier start."""
    folder = copy_func("hello-js", scratch / "start" / "hello-js")
    times = {"first start": [], "later start": []}
    for run in range(repeats):
        state = scratch / f"state-start-{run}"
        environment = {**os.environ, "XDG_CACHE_HOME": str(scratch / f"cache-{run}")}
        for name in times:
            port = free_port()
            begun = time.perf_counter()
            with process(dev(binary, folder, port, state), env=environment):
                wait_for(port, "/hello/bench")
                times[name].append(time.perf_counter() - begun)
    return times


def save_times(binary: pathlib.Path, scratch: pathlib.Path, repeats: int) -> list:
    """From the save of index.js to the first response that has the change."""
    folder = copy_func("hello-js", scratch / "save" / "hello-js")
    source = (folder / "index.js").read_text()
    port = free_port()
    times = []
    with process(dev(binary, folder, port, scratch / "state-save")):
        wait_for(port, "/hello/bench")
        for run in range(repeats):
            mark = f"Changed{run}"
            edited = source.replace("Hello", mark)
            assert edited != source, "hello-js no longer says Hello"
            (folder / "index.js").write_text(edited)
            times.append(wait_for(port, "/hello/bench", lambda _, body, mark=mark: mark.encode() in body))
    return times


def first_request_times(binary: pathlib.Path, scratch: pathlib.Path, repeats: int) -> list:
    """The first request that a deployed, never-called Rust Func gets."""
    copy_func("hello-rust", scratch / "first" / "hello-rust")
    copy_func("hello-js", scratch / "first" / "hello-js")
    times = []
    for run in range(repeats):
        port = free_port()
        with process(dev(binary, scratch / "first", port, scratch / f"state-first-{run}")):
            wait_for(port, "/hello/bench")
            begun = time.perf_counter()
            status, _ = get(port, "/hello-rust")
            times.append(time.perf_counter() - begun)
            assert status == 200, status
    return times


def print_times(binary: pathlib.Path, scratch: pathlib.Path) -> None:
    starts = start_times(binary, scratch, 5)
    print("| time | median | worst | limit | median / limit |\n|---|---|---|---|---|")
    print_time("`dev` start to first 200, nothing cached", starts["first start"], 0.5)
    print_time("`dev` start to first 200", starts["later start"], 0.5)
    print_time("save of index.js to new response", save_times(binary, scratch, 20), 0.15)
    print_time("first request of a never-called Rust Func", first_request_times(binary, scratch, 5), 0.010)


def print_time(what: str, times: list, limit: float) -> None:
    value = statistics.median(times)
    print(f"| {what} | {value * 1e3:.1f} ms | {max(times) * 1e3:.1f} ms | {limit * 1e3:.0f} ms | {value / limit:.2f} |")
