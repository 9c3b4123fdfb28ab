"""What the pages show is what the program prints: docs/findings.md, and the commands with output in README.md.
SPDX-License-Identifier: GPL-2.0-or-later"""
import os
import re
import shlex
import subprocess
import sys

ROOT, WSLEUTH = os.environ['WSLEUTH_ROOT'], os.environ['WSLEUTH']
wrong = []


def run(arguments):
    return subprocess.run([WSLEUTH, *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout


def findings_page_is_the_catalogue():
    with open(os.path.join(ROOT, 'docs/findings.md'), encoding='utf-8') as page:
        if page.read() != run(['explain', '--page']):
            wrong.append('docs/findings.md is old: ./dev run explain --page > docs/findings.md')


def shown_output_is_printed():
    """A block that begins with "$ ./dev run ARGS": its parts between lines of "…" must be printed, in that order."""
    with open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as page:
        blocks = re.findall(r'```\n\$ ./dev run ([^\n]*)\n(.*?)```', page.read(), re.S)
    if not blocks:
        wrong.append('README.md shows no output')
    for command, shown in blocks:
        printed, at = run(shlex.split(command)), 0
        for part in re.split(r'^…\n', shown, flags=re.M):
            found = printed.find(part, at)
            if found < 0:
                wrong.append(f'README.md: "{command}" does not print\n{part}')
                break
            at = found + len(part)


findings_page_is_the_catalogue()
shown_output_is_printed()
print('\n'.join(wrong) or 'pages are as the program prints')
sys.exit(bool(wrong))
