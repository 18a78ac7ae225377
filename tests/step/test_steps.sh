#!/usr/bin/env bash
# The commands of lateen-step, from the outside: what they write, what they say, and how they end.
set -u
step=${builddir:-.}/lateen-step
folder=$(mktemp -d "${TMPDIR:-/tmp}/lateen-test-XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
n=0

ok() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

is() { # GOT WANT NAME
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || { echo "#  got: ${1//$'\n'/$'\n#       '}"; echo "# want: ${2//$'\n'/$'\n#       '}"; }
}

has() { # TEXT PART NAME
	[[ $1 == *"$2"* ]]
	ok $? "$3"
	[[ $1 == *"$2"* ]] || { echo "# text: ${1//$'\n'/$'\n#       '}"; echo "# part: $2"; }
}

printf '\xEF\xBB\xBF,issue_url,issue_title,body\r\n' >issues.csv
printf '0,"""https://github.com/ann/tool/issues/7""","Crash, on ""start""","two\nlines"\r\n' >>issues.csv
printf '1,https://github.com/bob/x/issues/8,The café crash \xF0\x9F\x99\x82 \xFF,body\r\n' >>issues.csv
printf '2,,crash crash CRASH,\r\n' >>issues.csv

said=$("$step" github-issues --file issues.csv --output all.jsonl)
is "$said" "3 issues from issues.csv" "github-issues says how many"
is "$(sed -n 1p all.jsonl)" \
	'{"url":"https://github.com/ann/tool/issues/7","repo":"ann/tool","title":"Crash, on \"start\"","body":"two\nlines"}' \
	"quotes, newlines and the address's own quotes"
is "$(sed -n 2p all.jsonl)" $'{"url":"https://github.com/bob/x/issues/8","repo":"bob/x","title":"The café crash 🙂 \uFFFD","body":"body"}' \
	"invalid UTF-8 becomes U+FFFD"
is "$(sed -n 3p all.jsonl)" '{"url":"","repo":"","title":"crash crash CRASH","body":""}' "empty fields"
"$step" github-issues --file=issues.csv --limit=2 --output=two.jsonl >said
is "$(wc -l <two.jsonl)" 2 "limit"
"$step" github-issues --file issues.csv --limit 0 --output none.jsonl >said
is "$(wc -l <none.jsonl)" 3 "limit 0 is all"

printf 'url,subject,text\nu,s,t\n' >other.csv
said=$("$step" github-issues --file other.csv --output x 2>&1)
is $? 1 "a file without the columns is a failure"
has "$said" '`other.csv`: there is no column `issue_title` and no `title`; there are `url`, `subject`, `text`' "which names those that are there"
: >nothing.csv
said=$("$step" github-issues --file nothing.csv --output x 2>&1)
has "$said" '`nothing.csv`: the file is empty' "and so is an empty file"
{
	echo title,body,n
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo "t$i,b$i,$i"; done
	echo 'one,two,three,four'
	echo alone
	echo 't,"b
b",1,2'
	echo 'a,b,c,d'
} >some.csv
said=$("$step" github-issues --file some.csv --output x 2>&1)
is $? 1 "too many bad rows are a failure"
has "$said" "4 of 20 rows cannot be used, more than 5 in a hundred" "which says how many there are"
ok "$([ ! -e x ]; echo $?)" "and nothing is written"
said=$("$step" github-issues --file some.csv --max-bad 20 --output some.jsonl)
is "$said" 'left out: `some.csv`, line 18: 4 fields, and there are 3 columns
left out: row 18 has no `body`
left out: `some.csv`, line 20: 4 fields, and there are 3 columns
16 issues from some.csv; 4 rows could not be used and were left out' "the first bad rows are shown, all are counted"
"$step" github-issues --file some.csv --limit 16 --output some.jsonl >said
is "$(wc -l <some.jsonl)" 16 "rows behind the limit are not looked at"

gzip -c issues.csv >issues.csv.gz
"$step" github-issues --file issues.csv.gz --output packed.jsonl >said
is "$(cat packed.jsonl)" "$(cat all.jsonl)" "a file packed by gzip"
head -c 100 issues.csv.gz >cut.gz
said=$("$step" github-issues --file cut.gz --output x 2>&1)
has "$said" '`cut.gz`: it is cut off: it ends within its gzip data' "one that is cut off"
{ echo a; head -c 100000000 /dev/zero | tr '\0' '\n'; } | gzip -9 >bomb.gz
said=$("$step" count --input bomb.gz --output x 2>&1)
is $? 1 "a file that grows too much is a failure"
has "$said" '`bomb.gz`: it grows to more than 250 times its size when it is unpacked, which no table does' "and says why"
if command -v zstd >/dev/null; then
	zstd -q -c issues.csv >issues.csv.zst
	"$step" github-issues --file issues.csv.zst --output packed.jsonl >said 2>err
	if grep -q "libzstd.so.1 cannot be opened" err; then
		n=$((n + 1)); echo "ok $n # SKIP libzstd.so.1 is not here"
	else
		is "$(cat packed.jsonl)" "$(cat all.jsonl)" "a file packed by zstd"
	fi
	{ echo a; head -c 100000000 /dev/zero | tr '\0' '\n'; } | zstd -q -c >bomb.zst
	said=$("$step" count --input bomb.zst --output x 2>&1)
	is $? 1 "or by zstd"
	mkdir none && : >none/libzstd.so.1
	said=$(LD_LIBRARY_PATH=$PWD/none "$step" count --input issues.csv.zst --output x 2>&1)
	has "$said" '`issues.csv.zst`: it is packed by zstd, and libzstd.so.1 cannot be opened: ' "without the library that is said"
else
	n=$((n + 3)); for i in 2 1 0; do echo "ok $((n - i)) # SKIP zstd is not here"; done
fi

"$step" count --input all.jsonl --output count >said
is "$(cat count)" 3 "count of JSON lines"
"$step" count --input issues.csv --output count >said
is "$(cat count)" 3 "count of CSV"
: >empty
"$step" count --input empty --output count >said
is "$(cat count)" 0 "count of nothing"

"$step" words --input all.jsonl --top 2 --output words.csv >said
is "$(cat words.csv)" $'word,count\ncrash,5\ncafé,1' "words, most frequent first, in lower case"
"$step" words --input all.jsonl --stop none --output words.csv >said
has "$(cat words.csv)" "the,1" "with all small words"
said=$("$step" words --input all.jsonl --field nope --output x 2>&1)
is $? 1 "a column that is not there is a failure"
has "$said" 'there is no column `nope`; there are `url`, `repo`, `title`, `body`' "and the columns are named"
ok "$([ ! -e x ]; echo $?)" "and nothing is written"

"$step" lengths --input all.jsonl --width 1 --output lengths.csv >said
is "$(cat lengths.csv)" $'words,count\n0,0\n1,0\n2,0\n3,3' "lengths"

"$step" table --input all.jsonl --rows 1 --output table.md >said
is "$(cat table.md)" $'| url | repo | title | body |\n| --- | --- | --- | --- |\n| https://github.com/ann/tool/issues/7 | ann/tool | Crash, on "start" | two lines |' \
	"a table in Markdown"
printf 'a|b,<i>\n*x*,"1&2"\n' >odd.csv
"$step" table --input odd.csv --output table.md >said
is "$(cat table.md)" $'| a\\|b | &lt;i&gt; |\n| --- | --- |\n| \\*x\\* | 1&amp;2 |' "nothing in a cell means anything"
"$step" table --input empty --output table.md >said
is "$(cat table.md)" "*an empty table*" "an empty table says so"

"$step" chart --input words.csv --title 'A <b> & "c"' --output chart.svg >said
svg=$(cat chart.svg)
has "$svg" "<title>A &lt;b&gt; &amp; &quot;c&quot;</title>" "the chart's title is escaped"
has "$svg" "prefers-color-scheme:dark" "and it is made for light and dark"
has "$svg" "A bar chart of" "and says what it shows"
if command -v xmllint >/dev/null; then
	xmllint --noout chart.svg
	ok $? "the SVG is well-formed"
elif command -v python3 >/dev/null; then
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse("chart.svg")'
	ok $? "the SVG is well-formed"
else
	n=$((n + 1)); echo "ok $n # SKIP neither xmllint nor python3 is here"
fi
printf 'name,n\nx,-3\ny,5\n' >minus.csv
"$step" chart --input minus.csv --output minus.svg >said
has "$(cat minus.svg)" 'class="below"' "a bar below zero looks different"
said=$("$step" chart --input odd.csv --output x 2>&1)
has "$said" "no column of the table holds numbers" "a table without numbers has no chart"
"$step" chart --input empty --output empty.svg >said
has "$(cat empty.svg)" "the table is empty" "an empty chart says so"

"$step" synthetic-issues --rows 5 --seed 3 --output a.jsonl >said
has "$(cat said)" "synthetic" "synthetic issues say what they are"
"$step" synthetic-issues --rows 5 --seed 3 --output b.jsonl >said
is "$(cat a.jsonl)" "$(cat b.jsonl)" "the same seed, the same issues"
"$step" synthetic-issues --rows 5 --seed 4 --output b.jsonl >said
ok "$(cmp -s a.jsonl b.jsonl; [ $? -eq 1 ]; echo $?)" "another seed, other issues"

printf '{"a":1}\nnot json\n' >bad.jsonl
said=$("$step" count --input bad.jsonl --output x 2>&1)
is $? 1 "broken JSON is a failure"
has "$said" 'bad.jsonl`, line 2: not JSON' "with its line"
said=$("$step" count --input nowhere --output x 2>&1)
has "$said" 'cannot open `nowhere`: No such file or directory' "a file that is not there"
"$step" count --input all.jsonl --output no/such/folder 2>/dev/null >said
is $? 1 "an output that cannot be written"
if [ -w /dev/full ]; then
	said=$("$step" count --input all.jsonl --output /dev/full 2>&1)
	is $? 1 "a full disk is a failure"
	# The device was removed in place of half a file.
	[ -c /dev/full ]
	is $? 0 "and the device is still there"
else
	n=$((n + 1)); echo "ok $n # SKIP there is no /dev/full"
fi

"$step" >said 2>err
is $? 2 "no command is wrong use"
"$step" nonsense >said 2>err
is $? 2 "an unknown command too"
"$step" count --inptu x >said 2>err
is $? 2 "and an unknown option"
has "$(cat err)" 'count has no option `--inptu`' "which is named"
"$step" count --input all.jsonl >said 2>err
is $? 2 "and a missing one"
"$step" words --input all.jsonl --top many --output x >said 2>err
is $? 1 "text where a number is wanted"
for command in github-issues synthetic-issues count words lengths table chart; do
	has "$("$step" "$command" --help)" "--output PATH" "$command --help"
	has "$("$step" --help)" "$command" "--help names $command"
done

if [ -n "${LATEEN_SHARED:-}" ] && [ -r "$LATEEN_SHARED/data/github_issues_sample.csv" ]; then
	"$step" github-issues --file "$LATEEN_SHARED/data/github_issues_sample.csv" --limit 0 --output real.jsonl >said
	is "$(wc -l <real.jsonl)" 5000 "all real issues are read"
	"$step" words --input real.jsonl --top 1 --output words.csv >said
	is "$(sed -n 2p words.csv)" "add,255" "and counted"
else
	n=$((n + 2)); echo "ok $((n - 1)) # SKIP LATEEN_SHARED has no real issues"; echo "ok $n # SKIP LATEEN_SHARED has no real issues"
fi
echo "1..$n"
