#!/usr/bin/env python3
"""definitions.py FROM TO: Argo's resource definitions as JSON, which is read ten times as fast as their YAML."""
import json
import pathlib
import sys

import yaml

for path in sorted(pathlib.Path(sys.argv[1]).glob("argoproj.io_*.yaml")):
    value = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    pathlib.Path(sys.argv[2], path.stem + ".json").write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")
