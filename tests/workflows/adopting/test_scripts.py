"""Scripts are read, never run: what they do is found, and taken for the worst it could be."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from workflows.actions.base import Effect
from workflows.adopting.found import ByHand, Doing, Http, Pause, Program, Script, Sql
from workflows.adopting.programs import effect_of_program
from workflows.adopting.python_script import read_python
from workflows.adopting.secrets import without_secrets
from workflows.adopting.shell_script import read_shell
from workflows.adopting.writing import Heading, drafted
from workflows.errors import DefinitionError
from workflows.loading import read_definition

CALL = "boto3.client().terminate_instances"
HEADING = Heading(workflow="a", title="A", owner="@a", deputy="@b", source="a.sh")


def doings(text: str) -> list[Doing]:
    return list(read_shell(dedent(text)).doings)


def in_python(text: str) -> list[Doing]:
    return list(read_python(dedent(text)).doings)


def told(one: Doing) -> str:
    match one.work:
        case Program(name=name, args=args):
            return f"{one.line} {name} {' '.join(args)} {one.effect.value}"
        case Http() as call:
            return f"{one.line} {call.method} {call.base}{call.path} {one.effect.value}"
        case Sql() as call:
            return f"{one.line} {call.database}: {call.statement} {one.effect.value}"
        case Pause(seconds=seconds):
            return f"{one.line} {seconds}s"
        case ByHand(words=words):
            return f"{one.line} by hand: {words} {one.effect.value}"


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("kubectl delete pod web", "destructive"),
        ("kubectl get pods", "read"),
        ("kubectl apply -f x.yaml", "write"),
        ("kubectl apply --prune -f x.yaml", "destructive"),
        ("kubectl rollout status deploy/web", "read"),
        ("kubectl exec web -- ls", "destructive"),
        ("git status", "read"),
        ("git push origin main", "write"),
        ("git push -f origin main", "destructive"),
        ("git push origin +main", "destructive"),
        ("git reset --hard", "destructive"),
        ("aws ec2 describe-instances", "read"),
        ("aws ec2 terminate-instances --instance-ids i-1", "destructive"),
        ("aws s3 rm s3://bucket", "destructive"),
        ("aws s3 sync . s3://bucket --delete", "destructive"),
        ("gcloud compute instances list", "read"),
        ("gcloud compute instances delete web", "destructive"),
        ("terraform plan", "read"),
        ("terraform apply", "destructive"),
        ("find . -name x", "read"),
        ("find . -name x -delete", "destructive"),
        ("find . -okdir rm {} ;", "destructive"),
        ("find . -fprintf x %p", "destructive"),
        ("sed -n 1p x", "read"),
        ("sed -n s/a/b/w x", "destructive"),
        ("awk NR>1{print$1} x", "read"),
        ('awk {system("rm")} x', "destructive"),
        ('awk {print>"y"} x', "destructive"),
        ("yq .a x", "read"),
        ("yq -i .a=1 x", "destructive"),
        ("sort x", "read"),
        ("sort -uo x x", "destructive"),
        ("date +%F", "read"),
        ("date -s 2020-01-01", "destructive"),
        ("docker --context x ps", "read"),
        ("docker -H x ps", "read"),
        ("docker --context start rm y", "destructive"),
        ("docker --not-known ps", "destructive"),
        ("kubectl -n get delete pod x", "destructive"),
        ("git --no-pager -C x log", "read"),
        ("service web restart", "write"),
        ("aws s3 cp list.txt s3://x", "write"),
        ("uniq a b", "destructive"),
        ("ss -K dst x", "destructive"),
        ("git push origin :main", "destructive"),
        ("git branch -d x", "destructive"),
        ("git stash drop", "destructive"),
        ("sed -i s/a/b/ x", "destructive"),
        ("rsync -a --delete a b", "destructive"),
        ("cp a b", "write"),
        ("rm x", "destructive"),
        ("nobody-knows-this --dry-run", "destructive"),
    ],
)
def test_a_program_is_as_grave_as_its_words_and_unknown_ones_are_the_gravest(
    line: str, effect: str
) -> None:
    name, *args = line.split()

    assert effect_of_program(name, args) is Effect(effect)


@pytest.mark.parametrize(
    ("line", "method"),
    [
        ("curl -sX DELETE https://a.example.com/b", "DELETE"),
        ("curl -fsSXPUT https://a.example.com/b", "PUT"),
        ("""curl -sd '{"a": 1}' https://a.example.com/b""", "POST"),
        ("curl -s --data-urlencode a=b https://a.example.com/b", "POST"),
        ("curl -sSfLo x https://a.example.com/b", "GET"),
        ("wget -qO- https://a.example.com/b", "GET"),
        ("wget -O b.html https://a.example.com/b", "GET"),
        ("curl --not-known 5 https://a.example.com/b", "GET"),
    ],
)
def test_a_request_is_known_by_options_that_stand_together(line: str, method: str) -> None:
    (found,) = read_shell(line).doings

    assert isinstance(found.work, Http)
    assert (found.work.method, found.work.base) == (method, "https://a.example.com")
    assert (found.effect is Effect.READ) is (method == "GET")


def test_each_address_is_a_request_of_its_own() -> None:
    found = doings("""
        curl -X DELETE https://a.example.com/1 --url https://a.example.com/2
        curl -d {} https://a.example.com/3 --next a.example.com/4
    """)

    assert [told(one) for one in found] == [
        "2 DELETE https://a.example.com/1 destructive",
        "2 DELETE https://a.example.com/2 destructive",
        "3 POST https://a.example.com/3 destructive",
        "3 GET http://a.example.com/4 read",
    ]


def test_a_shell_script_is_followed_through_quotes_substitutions_and_documents() -> None:
    found = doings(r"""
        HOST="db1"; NAME='$literal'
        echo "rm -rf /"  # rm -rf /
        ssh "$HOST" 'rm -rf /srv/old' && \
          sleep 2m
        x=$(kubectl delete pod "a b" | wc -l)
        cat <<EOF
        rm -rf /data
        EOF
        sudo -n rm -rf "$TARGET/$2"
        if true; then bash -c "dropdb shop"; fi
        case $1 in
          start) systemctl stop web ;;
        esac
        tidy() { rm "$NAME"; }
        tidy
        date > /etc/stamp
        date >& /etc/other 2>&1 | tee >(cat)
    """)

    assert [told(one) for one in found] == [
        "4 ssh db1 rm -rf /srv/old destructive",
        "5 120s",
        "6 kubectl delete pod a b destructive",
        "10 rm -rf ${{ inputs.target }}/${{ inputs.argument_2 }} destructive",
        "11 dropdb shop destructive",
        "13 systemctl stop web destructive",
        "15 rm $literal destructive",
        "17 date  read",
        "17 by hand: write to the file /etc/stamp destructive",
        "18 date  read",
        "18 by hand: write to the file /etc/other destructive",
        "18 tee $(…) write",
    ]
    assert "it stood under: if true (line 11)" in found[4].open


def test_sums_conditions_and_lists_hold_no_commands_and_documents_may() -> None:
    found = doings(r"""
        N=$((1 + 2)); HOSTS=(rm "b c"
          d)
        if (( N > 1 )) || [[ $N > 2 ]]; then kubectl delete pod x; fi
        psql -h db -U app shop <<SQL
        DELETE FROM cart WHERE owner = '$OWNER';
        SELECT 1;
        SQL
        ssh web1 bash <<'EOS'
        rm -rf /srv/old
        EOS
        rm -f "${DIR:?}/x" "${2:-y}"
    """)

    assert [told(one) for one in found] == [
        "4 kubectl delete pod x destructive",
        "5 shop: DELETE FROM cart WHERE owner = :owner destructive",
        "5 shop: SELECT 1 read",
        "9 rm -rf /srv/old destructive",
        "12 rm -f ${{ inputs.dir }}/x ${{ inputs.argument_2 }} destructive",
    ]


AROUND = (
    "{}",
    "true && {}",
    "false || {} || true",
    "if a; then {}; else b; fi",
    "while read x; do {}; done < file",
    "for i in 1 2; do {}; done",
    "case $x in a|b) {} ;; *) c ;; esac",
    "x=$( {})",
    'echo "now: $( {} | wc -l)"',
    "echo `{}`",
    'x=$(echo ")"; {})',
    "diff <( {}) b",
    "echo ${{x:-$( {})}}",
    'echo ${{x%"}}"}}; {}',
    "echo $(( $( {}) + 1 ))",
    "[[ $( {}) ]]",
    "(( $( {}) ))",
    "A=( $( {}) )",
    "function g {{ {}; }}",
    "echo $'it\\'s'; {}",
    "echo `echo \\`ls\\``; {}",
    "rm <(a) ; {}",
    "trap '{}' EXIT",
    "sudo -u cat {}",
    "nice -n 10 {}",
    "sudo -n {}",
    "timeout 5 {}",
    "bash -c '{}'",
    "( {} )",
    "{{ {}; }}",
    "f() {{ {}; }}",
    "! {}",
    "a | {} | b",
    "{} > /dev/null 2>&1 &",
    "[[ $a > b ]] && {}",
    'A=1 B="$C" {}',
)
GRAVE = "rm -rf /srv/old"


@pytest.mark.parametrize("outer", AROUND)
def test_nothing_grave_is_hidden_by_what_stands_around_it(outer: str) -> None:
    both = [outer.format(one.format(GRAVE)) for one in AROUND if not _clash(outer, one)]
    hidden = [
        text
        for text in both
        if not any(
            one.effect is Effect.DESTRUCTIVE and "/srv/old" in str(one.work)
            for one in read_shell(text).doings
        )
    ]

    assert hidden == []


def _clash(outer: str, inner: str) -> bool:
    """Say whether one within the other would close its quotes."""
    return any(sign in outer and sign in inner for sign in ("'", "`", '"'))


def test_a_function_called_like_a_program_does_not_hide_it() -> None:
    found = doings("""
        rm() { command rm -i "$1"; }
        rm x
    """)

    assert [told(one) for one in found] == ["2 rm -i ${{ inputs.argument_1 }} destructive"]


def test_requests_and_statements_become_what_an_action_takes() -> None:
    found = doings("""
        curl -sXPOST https://api.example.com/v1/deploys/$1 -d '{"env": "prod"}'
        curl --request DELETE "https://api.example.com/things?id=$2"
        curl $URL/health
        psql -d shop -c "DELETE FROM cart WHERE owner = '$3'"
        mysql -e "SELECT 1" shop
        psql -c "DROP TABLE cart" shop
    """)

    assert [told(one) for one in found] == [
        "2 POST https://api.example.com/v1/deploys/${{ inputs.argument_1 }} destructive",
        "3 DELETE https://api.example.com/things destructive",
        "4 GET /health read",
        "5 shop: DELETE FROM cart WHERE owner = :argument_3 destructive",
        "6 shop: SELECT 1 read",
        "7 shop: DROP TABLE cart destructive",
    ]
    assert isinstance(found[0].work, Http)
    assert found[0].work.body == {"env": "prod"}
    assert any("query" in one for one in found[1].open)
    assert any("refuses it so far" in one for one in found[5].open)


def test_a_python_script_is_read_by_its_tree() -> None:
    found = in_python("""
        import os, shutil, sys, subprocess as sp, time
        import requests, boto3
        BASE = "https://api.example.com"
        def close(account, cur):
            requests.get(f"{BASE}/accounts/{account}")
            if account:
                requests.post(BASE + "/accounts/%s/close" % account, json={"n": 3})
            cur.execute("DELETE FROM account WHERE id = %s", (account,))
        sp.run(["kubectl", "delete", "pod", sys.argv[1]])
        os.system("rm -rf /srv/{}".format(os.environ["CACHE"]))
        shutil.rmtree("/var/cache/web")
        time.sleep(5)
        boto3.client("ec2").terminate_instances(InstanceIds=["i-1"])
        boto3.client("ec2").describe_instances()
        [1].remove(1)
        print("done")
    """)

    assert [told(one) for one in found] == [
        "6 GET https://api.example.com/accounts/${{ inputs.account }} read",
        "8 POST https://api.example.com/accounts/${{ inputs.account }}/close destructive",
        "9 database: DELETE FROM account WHERE id = :account destructive",
        "10 kubectl delete pod ${{ inputs.argument_1 }} destructive",
        "11 rm -rf /srv/${{ inputs.cache }} destructive",
        "12 rm -r /var/cache/web destructive",
        "13 5s",
        f"14 by hand: what {CALL}(…) in line 14 of the script did destructive",
    ]
    assert "it stood under: if account (line 7)" in found[1].open


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ('"a/%05d?id=%s" % (n, m)', "a/{n}?id={m}"),
        ('"%(x)s-%(y)s" % {"x": n, "y": m}', "{n}-{m}"),
        ('"{1}-{0}-{1}".format(n, m)', "{m}-{n}-{m}"),
        ('"{User.id}/{group:03}".format(group=n, User=m)', "{m}/{n}"),
        ('b"{}"', "{{}}"),
    ],
)
def test_a_text_that_is_put_together_has_each_value_in_its_place(text: str, args: str) -> None:
    (found,) = in_python(f"import subprocess\nsubprocess.run(['rm', {text}])\n")

    values = {one: f"${{{{ inputs.{one} }}}}" for one in "nm"}
    assert isinstance(found.work, Program)
    assert found.work.args == (args.format(**values),)


@pytest.mark.parametrize(
    "line",
    [
        'subprocess.run(["rm", "-rf", "/srv/old"])',
        'subprocess.run("rm -rf /srv/old".split())',
        'subprocess.check_call(shlex.split("rm -rf /srv/old"))',
        'subprocess.run("rm -rf /srv/old", shell=True)',
        'command = ["rm", "-rf", "/srv/old"]; subprocess.Popen(command)',
        'where = "/srv/old"; os.system(f"sudo rm -rf {where}")',
        'shutil.rmtree("/srv/old")',
        'from shutil import rmtree as gone; gone("/srv/old")',
        'subprocess.run(["bash", "-c", "true && rm -rf /srv/old"])',
    ],
)
def test_nothing_grave_is_hidden_by_how_python_starts_it(line: str) -> None:
    found = in_python(f"import os, shlex, shutil, subprocess\nfor x in y:\n    {line}\n")

    assert [one.effect for one in found] == [Effect.DESTRUCTIVE]
    assert "/srv/old" in str(found[0].work) or "inputs.where" in str(found[0].work)


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.execvp('rm', ['rm', 'x'])",
        "import os\nos.system(command='rm x')",
        "import os\nlist(map(os.remove, files))",
        "import os, threading\nthreading.Thread(target=os.remove, args=('x',)).start()",
        "from os import *\nsystem('rm x')",
        "import subprocess\nrun = subprocess.run\nrun(['rm', 'x'])",
        "import subprocess\nsubprocess.run(args=['rm', 'x'])",
        "import asyncio\nasync def f():\n    await asyncio.create_subprocess_shell('rm x')",
        "import importlib\nimportlib.import_module('os').system('rm x')",
        "import urllib.request\nurllib.request.urlopen(request)",
        "from fabric import Connection\nConnection('web').run('rm x')",
    ],
)
def test_a_call_is_found_by_whatever_name_it_goes(text: str) -> None:
    assert Effect.DESTRUCTIVE in {one.effect for one in in_python(text)}


@pytest.mark.parametrize(
    "line",
    [
        "exec(text)",
        "getattr(client, how)(1)",
        "table[what](1)",
        "subprocess.run(words)",
        "words = ['rm', 'x']\nif safe:\n    words = ['ls']\nsubprocess.run(words)",
        "words = ['git', 'push']\nwords += ['--force']\nsubprocess.run(words)",
        "words = ['git', 'push']\nwords.append('--force')\nsubprocess.run(words)",
    ],
)
def test_what_is_worked_out_is_taken_for_the_worst(line: str) -> None:
    (found,) = in_python(f"import subprocess\n{line}\n")

    assert (found.effect, isinstance(found.work, ByHand)) == (Effect.DESTRUCTIVE, True)


def test_what_is_no_python_is_refused_with_its_line() -> None:
    with pytest.raises(DefinitionError, match="Line 2 is no Python"):
        read_python("a = 1\nb = (\n")


def test_what_python_advises_the_author_of_a_script_is_not_told_to_its_reader() -> None:
    (found,) = in_python(
        r"""
        import sys, subprocess
        if sys.argv[1] == "\d" and 5is 5:
            subprocess.run(["rm", "x"])
        """
    )

    assert told(found) == "4 rm x destructive"


def test_what_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(DefinitionError, match="nested too deep"):
        read_shell(f"x={'$(' * 3000}ls{')' * 3000}\n")
    with pytest.raises(DefinitionError):
        read_python(f"x = {'+'.join(['1'] * 2000)}\n")


SECRETS = [
    "export API_TOKEN={}",
    "PGPASSWORD='{}' psql",
    'curl -H "Authorization: Bearer {}"',
    "curl -u admin:{} https://a.example.com",
    "curl -su admin:{} https://a.example.com",
    'curl -u "admin:{}" https://a.example.com',
    "curl -fsSu 'admin:{}' https://a.example.com",
    "curl --user admin:{} https://a.example.com",
    'curl --user="admin:{}" https://a.example.com',
    'wget --password "{}" https://a.example.com',
    "mysql -uroot -p{} shop",
    "mysqldump --single-transaction -p'{}' shop",
    "sshpass -p {} ssh db1",
    "redis-cli -h cache -a {} ping",
    "psql postgresql://app:{}@db/shop",
    "mysql --password={} -e 'SELECT 1'",
    'client_secret: "{}"',
    'requests.get(url, headers={{"X-Api-Key": "{}"}})',
    "DB_PASS={}",
    "password = 'two words {}'",
    "docker login -u ci -p {} registry.example.com",
    "echo '{}' | docker login --password-stdin",
    "aws configure set aws_secret_access_key {}",
    "git clone https://{}@git.example.com/a",
    "curl https://hooks.slack.com/services/T0/B0/{}",
    'curl "https://a.example.com/b?key={}&c=d"',
    'curl -H "Cookie: session={}" https://a.example.com',
    "htpasswd -b users ana {}",
    "openssl enc -aes-256-cbc -pass pass:{}",
    "vault-tool --master-password {}",
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_leaves_a_name_and_nothing_else(line: str) -> None:
    value = "hunter2-Correct9horse"
    cleaned = without_secrets(f"one\n{line.format(value)}\nthree")

    assert value not in cleaned.text
    assert [number for number, _ in cleaned.secrets] == [2]
    assert cleaned.text.count("\n") == 2


def test_known_forms_of_secrets_are_taken_out_wherever_they_stand() -> None:
    text = (
        "a AKIAABCDEFGHIJKLMNOP b\n"
        "c ghp_abcdefghijklmnopqrstuvwxyz0123\n"
        "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----\n"
        "x = 'qW3rT9yU1oP5aS7dF2gH8jK4'\n"
        "git checkout 0123456789abcdef0123456789abcdef01234567\n"
        "author: Jane\npassword = os.environ['PASSWORD']\nPWD=/srv/app bypass=yes_always\n"
    )
    cleaned = without_secrets(text)

    assert [line for line, _ in cleaned.secrets] == [1, 2, 3, 6]
    assert "0123456789abcdef0123456789abcdef01234567" in cleaned.text
    assert "author: Jane" in cleaned.text
    assert "PWD=/srv/app bypass=yes_always" in cleaned.text
    assert "MIIabc" not in cleaned.text


WORDS = st.text(alphabet=st.sampled_from(list("ab $\"'`\\(){}[]<>|&;#=!*?~\n%-/:")), max_size=60)


@examples(max_examples=150)
@given(WORDS)
def test_whatever_stands_in_a_script_its_draft_is_yaml_without_faults_of_form(text: str) -> None:
    made = drafted(read_shell(without_secrets(text).text), HEADING)
    loaded = read_definition(made.text, "draft.yaml")

    assert [str(one) for one in loaded.faults] == []


def test_every_destructive_step_of_a_draft_asks_people_and_every_question_has_its_line() -> None:
    script = read_shell("rm -rf $1\ncurl -X DELETE https://a.example.com/b\nmystery\nls\n")
    made = drafted(Script(doings=script.doings, inputs=script.inputs), HEADING)
    lines = made.text.splitlines()
    definition = read_definition(made.text, "draft.yaml").required()
    grave = [one for one in definition.works if one.effect is Effect.DESTRUCTIVE]

    assert [one.id for one in grave] == ["rm", "delete_a", "mystery"]
    assert all(one.approval is not None for one in grave)
    assert all("# TODO(person): " in lines[one.line - 1] for one in made.questions)
    assert all(one.words in lines[one.line - 1] for one in made.questions)
