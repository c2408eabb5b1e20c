"""Checks IAM policies with parliament, which knows every action, its resources and its condition keys.

Reads a JSON list of policy documents without intrinsic functions, writes a JSON list of lists of findings.
"""

import json
import sys
import warnings

# parliament uses `pkg_resources`, which is deprecated.
warnings.filterwarnings("ignore", category=UserWarning)

from parliament import analyze_policy_string  # noqa: E402


def findings(document: dict) -> list[str]:
    """The findings about a policy, each with its actions."""
    found = analyze_policy_string(json.dumps(document)).findings
    return [f"{finding.issue}: {json.dumps(finding.detail)}" for finding in found]


json.dump([findings(document) for document in json.load(sys.stdin)], sys.stdout)
