# SPDX-License-Identifier: MIT
"""Interactive shells on a terminal, whose TAB key tests press."""

import fcntl
import os
import pty
import subprocess
import termios
import threading

from lib.wait import wait_until

# Both write what completion offers to $OUT, and at ^T the line that has become of it.
BASH = r"""
PS1='$ ' HISTFILE=
. /usr/share/bash-completion/bash_completion
. {source}/php-poolctl.bash
noted() {{
    _php_pool "$@"
    printf 'OFFER %s\n' "${{COMPREPLY[@]}}" >>"$OUT"
}}
complete -F noted $(complete -p | sed -n 's/^complete -F _php_pool //p')
report() {{
    printf 'LINE %s\n' "$READLINE_LINE" >>"$OUT"
    READLINE_LINE= READLINE_POINT=0
}}
bind 'set bell-style none'
bind -x '"\C-t": report'
"""

ZSH = r"""
PS1='$ ' HISTFILE=
fpath=({source} $fpath)
autoload -Uz compinit
compinit -u -d {home}/zcompdump
unsetopt autolist automenu beep
compadd() {{
    if (( $@[(I)-[OAD]*] )); then # it asks, and offers nothing
        builtin compadd "$@"
        return
    fi
    local -a hits
    builtin compadd -A hits "$@"
    (( $#hits )) && print -rl -- "OFFER "$^hits >>$OUT
    builtin compadd "$@"
}}
report() {{
    print -r -- "LINE $BUFFER" >>$OUT
    BUFFER=
}}
zle -N report
bindkey '^T' report
"""


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Shell:
    """`name` is bash or zsh, which completes by the files in `source`. A context manager."""

    def __init__(self, name, source, home, environment=None):
        self.name, self.home, self.out = name, home, home / "out"
        if name == "bash":
            self.rc, text = home / "rc", BASH
            command = ["bash", "--noprofile", "--rcfile", self.rc, "-i"]
        else:
            self.rc, text = home / ".zshrc", ZSH
            command = ["zsh", "-d", "-i"]
        self.rc.write_text(text.format(source=source, home=home))
        self.command = command
        self.environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb", "HOME": str(home),
                            "ZDOTDIR": str(home), "OUT": str(self.out), **(environment or {})}

    def __enter__(self):
        self.out.write_text("")
        self.terminal, slave = pty.openpty()
        self.shown = b""
        self.process = subprocess.Popen(self.command, stdin=slave, stdout=slave, stderr=slave, cwd=self.home,
                                        env=self.environment, start_new_session=True, preexec_fn=take_terminal)
        os.close(slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.press("")  # it is ready
        return self

    def __exit__(self, *_):
        os.write(self.terminal, b"exit\n")
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            os.close(self.terminal)

    def _read(self):
        try:
            while data := os.read(self.terminal, 65536):
                self.shown += data
        except OSError:  # EIO: the shell is gone
            pass

    def press(self, line):
        """Types it, with TAB for each tab: (what the last TAB offered, the line that has become of it)."""
        before = len(self.out.read_text())
        os.write(self.terminal, line.encode() + b"\x14")
        wait_until(lambda: "\nLINE " in "\n" + self.out.read_text()[before:], 20, f"{self.name}: {self.shown!r}")
        lines = self.out.read_text()[before:].splitlines()
        offers = [line.removeprefix("OFFER ") for line in lines if line.startswith("OFFER ")]
        return sorted(set(filter(None, offers))), next(l for l in lines if l.startswith("LINE ")).removeprefix("LINE ")

    def offers(self, line):
        return self.press(line + "\t")[0]

    def becomes(self, line):
        return self.press(line + "\t")[1]
