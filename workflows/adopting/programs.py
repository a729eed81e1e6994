"""How grave a program is, by its name and its first words: what is not known is the worst.

A table, to be read and corrected. Nothing in it makes a step harmless: a read that is run by
`shell.run` counts as a write until the policy says that it only looks.
"""

import re
from collections.abc import Mapping, Sequence

from workflows.actions.base import Effect

READ, WRITE, DESTRUCTIVE = Effect.READ, Effect.WRITE, Effect.DESTRUCTIVE


def words(text: str) -> frozenset[str]:
    """Return the words of a line, for tables that are read more often than changed."""
    return frozenset(text.split())


# What changes nothing outside the script itself.
IGNORED = words(
    "echo printf set export cd pushd popd true false : exit return local declare typeset shift"
    " trap unset readonly umask test [ [[ ]] wait pwd getopts break continue shopt alias read"
)
READS = words(
    "ls cat head tail grep egrep fgrep rg awk sort uniq wc cut tr jq yq date whoami hostname df du"
    " ps stat find diff cmp which id env printenv uname ping dig nslookup host basename dirname"
    " realpath readlink file md5sum sha256sum nproc uptime free lsof netstat ss seq column less"
    " more tac rev paste comm strings expr bc"
)
WRITES = words(
    "cp ln mkdir touch chmod chown chgrp tee install useradd usermod groupadd createdb createuser"
    " tar zip unzip gzip gunzip rsync scp sftp make pip pip3 npm yarn brew"
)
# Programs whose first words decide: of each what only looks, and what changes and loses nothing.
LOOKS: Mapping[str, frozenset[str]] = {
    "git": words("status log show diff rev-parse ls-remote ls-files ls-tree describe blame"),
    "kubectl": words("get describe logs top explain version diff cluster-info api-resources"),
    "oc": words("get describe logs top explain version diff status whoami"),
    "helm": words("list status get history template lint show search version"),
    "docker": words("ps images inspect logs version info top stats"),
    "terraform": words("plan show output validate fmt version providers graph"),
    "systemctl": words("status is-active is-enabled list-units show cat"),
    "redis-cli": words("get mget exists ttl info ping keys scan type"),
    "apt-get": words("check"),
    "apt": words("list search show"),
    "service": words("status"),
}
CHANGES: Mapping[str, frozenset[str]] = {
    "git": words("add commit fetch pull clone checkout switch merge tag push branch init stash"),
    "kubectl": words("apply create label annotate patch set cordon uncordon expose rollout scale"),
    "oc": words("apply create label annotate patch set rollout scale"),
    "helm": words("install upgrade repo pull package"),
    "docker": words("build pull tag push run start create login"),
    "terraform": words("init"),
    "systemctl": words("restart start reload enable daemon-reload"),
    "service": words("restart start reload"),
    "apt-get": words("install update"),
    "apt": words("install update"),
}
_OF_KUBE = words(
    "-n --namespace --context --cluster --user --kubeconfig -s --server --token --as --as-group"
    " --request-timeout --cache-dir -v --v"
)
# Options before the first word: those that take another word, and those that do not.
TAKING: Mapping[str, frozenset[str]] = {
    "git": words("-C -c --git-dir --work-tree --namespace --config-env"),
    "kubectl": _OF_KUBE,
    "oc": _OF_KUBE,
    "helm": words("-n --namespace --kube-context --kubeconfig --kube-token --kube-apiserver"),
    "docker": words(
        "-H --host -c --context --config -l --log-level --tlscacert --tlscert --tlskey"
    ),
    "systemctl": words("-H --host -M --machine -t --type -p --property -s --signal -n --lines -o"),
    "redis-cli": words("-h -p -s -a -u -n --user --pass --cert --key --cacert"),
}
ALONE: Mapping[str, frozenset[str]] = {
    "git": words("--no-pager -P --paginate -p --bare --literal-pathspecs"),
    "kubectl": words("--insecure-skip-tls-verify -A --all-namespaces"),
    "helm": words("--debug"),
    "docker": words("-D --debug --tls --tlsverify"),
    "systemctl": words("--user --system -q --quiet --no-pager -l --full -a --all -f --now"),
    "redis-cli": words("--raw --no-raw -c --tls --csv --json --no-auth-warning"),
    "apt-get": words("-y --yes -q -qq --quiet --no-install-recommends"),
    "apt": words("-y --yes -q -qq --quiet --no-install-recommends"),
}
# Words that make something worse of a program that only changes.
WORSE: Mapping[str, re.Pattern[str]] = {
    "git": re.compile(
        r"(--force\b|--force-with-lease|--delete|--mirror|--prune|--hard|-D\b)"
        r"|( -[a-zA-Z]*[fd]\b)|( [+:]\S)|(stash (drop|clear))"
    ),
    "kubectl": re.compile(r"--prune|--force|--replicas=0|--replicas 0|rollout undo"),
    "oc": re.compile(r"--prune|--force|--replicas=0"),
    "helm": re.compile(r"--force|--reset-values"),
    "rsync": re.compile(r"--delete|--remove-source-files"),
    "docker": re.compile(r"--privileged"),
    "find": re.compile(r" -(delete|exec|execdir|ok|okdir|fprint\w*|fls)\b"),
    "sed": re.compile(r" (-[a-zA-Z]*i|--in-place)|/[a-z0-9]*[we]( |$)|[ ;{][0-9$,]*[we] "),
    "awk": re.compile(r"system\s*\(|[|>]\s*[\"&a-z$(]"),
    "yq": re.compile(r" (-[a-zA-Z]*i|--inplace)\b"),
    "sort": re.compile(r" (-[a-zA-Z]*o|--output)"),
    "uniq": re.compile(r" [^-\s]\S* +[^-\s]"),
    "ss": re.compile(r" (-[a-zA-Z]*K|--kill)"),
    "date": re.compile(r" (-s|--set)"),
    "hostname": re.compile(r" [^-\s]"),
    "rg": re.compile(r" --pre\b"),
    "tar": re.compile(r" (--remove-files|-?[a-z]*x)"),
    "chmod": re.compile(r" -R| --recursive"),
    "chown": re.compile(r" -R| --recursive"),
}
# Clouds: the verb of the operation says it.
CLOUDS = words("aws gcloud az doctl heroku fly")
_CLOUD_READS = re.compile(
    r"^(describe|list|get|head|ls|show|lookup|search|wait|whoami|ps|logs)(-|$)"
)
_CLOUD_WRITES = re.compile(
    r"^(create|put|update|set|add|start|tag|modify|attach|cp|copy|run|invoke|publish|enable|"
    r"associate|register|authorize|reboot|restart|deploy)"
)
WRAPPERS = words(
    "sudo doas nohup time nice ionice command exec stdbuf xargs then do else if while until !  {"
)
# Options of those that take another word.
WRAPPERS_TAKING: Mapping[str, frozenset[str]] = {
    "sudo": words("-u -g -h -p -C -T -U -R -D --user --group --host --prompt"),
    "doas": words("-u -C"),
    "nice": words("-n --adjustment"),
    "ionice": words("-c -n --class --classdata"),
    "xargs": words("-n -P -I -L -d -a -E -s --max-args --max-procs --delimiter --arg-file"),
    "timeout": words("-s -k --signal --kill-after"),
    "env": words("-u -C --unset --chdir"),
    "time": words("-f -o --format --output"),
    "stdbuf": words("-i -o -e"),
    "exec": words("-a"),
}


def effect_of_program(name: str, args: Sequence[str]) -> Effect | None:
    """Return how grave a program with these arguments may be; None where it does nothing."""
    if name in IGNORED:
        return None
    line = " " + " ".join(args)
    is_worse = name in WORSE and WORSE[name].search(line) is not None
    if is_worse:
        return DESTRUCTIVE
    if name in CLOUDS:
        return _of_cloud(args, line)
    if name in LOOKS or name in CHANGES:
        return _of_first_word(name, args)
    if name in READS or name == "sed":
        return READ
    return WRITE if name in WRITES else DESTRUCTIVE


def _of_first_word(name: str, args: Sequence[str]) -> Effect:
    first, second = [*(one.casefold() for one in _behind_options(name, args)), "", ""][:2]
    if name == "service":  # It names what it is about first.
        first = second
    if name == "kubectl" and first == "rollout" and second in ("status", "history"):
        return READ
    if first in LOOKS.get(name, ()):
        return READ
    return WRITE if first in CHANGES.get(name, ()) else DESTRUCTIVE


def _behind_options(name: str, args: Sequence[str]) -> Sequence[str]:
    """Return the words from the first one on that is no option, nor what one takes.

    Nothing, where it is not known whether an option takes the word behind it.
    """
    rest = iter(args)
    for one in rest:
        if not one.startswith("-"):
            return [one, *(word for word in rest if not word.startswith("-"))]
        if one in TAKING.get(name, ()):
            next(rest, "")
        elif "=" not in one and one not in ALONE.get(name, ()):
            return ()
    return ()


def _of_cloud(args: Sequence[str], line: str) -> Effect:
    plain = [one for one in args if not one.startswith("-")]
    if " --delete" in line:
        return DESTRUCTIVE
    # `aws SERVICE VERB`; the others name groups first, and the verb comes before what it is about.
    verbs = plain[1:]
    if _loses(verbs):
        return DESTRUCTIVE
    if any(_CLOUD_WRITES.match(one) for one in verbs):
        return WRITE
    return READ if any(_CLOUD_READS.match(one) for one in verbs) else DESTRUCTIVE


_LOSES = re.compile(
    r"^(delete|remove|rm|rb|terminate|destroy|purge|stop|drop|revoke|disable|deregister|mv|reset|detach)"
)


def _loses(verbs: Sequence[str]) -> bool:
    return any(_LOSES.match(one) for one in verbs)
