"""Writes the template for the emulator: the values of parameters become their defaults.

    before_deploy.py --template PATH --output PATH NAME=VALUE...

The SAM transform needs some values, such as `DeploymentPreference: {Enabled: !Ref GradualDeployments}`. In AWS, it gets
them from CloudFormation; the emulator's gets the defaults. Run it in the SAM CLI's environment.
"""

import argparse
import pathlib

from samcli.yamlhelper import yaml_dump, yaml_parse


def with_defaults(template: dict, values: dict[str, str]) -> dict:
    """The template with other defaults."""
    for name, value in values.items():
        template["Parameters"][name]["Default"] = value
    return template


def main() -> None:
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", required=True, type=pathlib.Path)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("values", nargs="*")
    arguments = parser.parse_args()
    values = dict(value.split("=", 1) for value in arguments.values)
    template = with_defaults(yaml_parse(arguments.template.read_text(encoding="utf-8")), values)
    arguments.output.write_text(yaml_dump(template), encoding="utf-8")


if __name__ == "__main__":
    main()
