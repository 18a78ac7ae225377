#!/usr/bin/env python3
"""image.py FOLDER NAME FILE [ENTRYPOINT…]: a folder as a container image of one layer, in an OCI archive. The same folder gives the
same bytes."""
import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile

OCI = "application/vnd.oci.image."


def plain(entry):
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def layer(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name, filter=plain)
    return buffer.getvalue()


class Blobs(dict):
    def keep(self, kind, data):
        """The descriptor by which others name it."""
        digest = hashlib.sha256(data).hexdigest()
        self[f"blobs/sha256/{digest}"] = data
        return {"mediaType": OCI + kind, "digest": f"sha256:{digest}", "size": len(data)}


def main():
    folder, name, target, *entrypoint = sys.argv[1:]
    blobs, tar = Blobs(), layer(pathlib.Path(folder))
    config = {
        "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], **({"Entrypoint": entrypoint} if entrypoint else {})},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]}}
    manifest = {
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
        "config": blobs.keep("config.v1+json", json.dumps(config).encode()),
        "layers": [blobs.keep("layer.v1.tar+gzip", gzip.compress(tar, 1, mtime=0))]}
    named = {"annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}}
    index = {"schemaVersion": 2, "manifests": [{**blobs.keep("manifest.v1+json", json.dumps(manifest).encode()), **named}]}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode(), **blobs}
    with tarfile.open(target, "w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


main()
