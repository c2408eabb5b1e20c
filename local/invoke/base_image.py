"""Builds the Docker image in which `cargo xtask test invoke` runs the functions, without a registry.

    base_image.py --name NAME

`sam local invoke` adds Lambda's runtime emulator to an image of Amazon Linux 2023 from a registry. The tests use this
image instead, so that they need no network. It has only a shell, the two programs that the SAM CLI needs to add the
emulator, and certificates, all from this machine. The exit status is 69 if no Docker daemon answers. Run it in the SAM
CLI's environment, which has the Docker client.
"""

import argparse
import io
import pathlib
import shutil
import sys
import tarfile

import docker

from prepare import libraries

PROGRAMS = ["sh", "mv", "chmod"]
CERTIFICATES = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
]
# EX_UNAVAILABLE of sysexits.h.
NO_DOCKER = 69


def main() -> None:
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True)
    arguments = parser.parse_args()
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        print(f"no Docker daemon answers: {error}", file=sys.stderr)
        sys.exit(NO_DOCKER)
    # Removes the image of an earlier run, and the images that the SAM CLI has built from it.
    for image in client.images.list(name=arguments.name):
        client.images.remove(image.id, force=True)
    client.api.import_image_from_data(archive(), repository=arguments.name, tag="latest")


def archive() -> bytes:
    """Returns the image's files as a tar archive."""
    programs = {f"bin/{name}": pathlib.Path(shutil.which(name)) for name in PROGRAMS}
    files = dict(programs)
    # With the paths that the programs load. /lib64 and similar links are folders in the image.
    files |= {str(path).lstrip("/"): path for path in libraries(programs.values())}
    for path in filter(lambda path: path.exists(), map(pathlib.Path, CERTIFICATES)):
        files[str(path).lstrip("/")] = path
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for name, path in files.items():
            tar.add(path.resolve(), arcname=name)
        # The only writable folder in Lambda.
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(tmp)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
