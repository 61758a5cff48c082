// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tapio::cli {

namespace {

struct Text {
  std::string_view command;
  std::string_view text;
};

constexpr std::array<Text, 16> kTexts = {{
    {"", R"(tapio watches this node's kernel and says what happened, and why.

Usage: tapio COMMAND [OPTIONS]

  run         run the agent
  record      run the agent, and keep in a file everything that comes in
  replay      play such a file again: the same records come out
  trace       show what happens now: processes, signals
  stories     say why things happened: who killed what
  explain     say what happened to one process, container or unit
  query       ask the records that were kept, in SQL
  status      show what the agent watches, what it costs, what it lost
  top         watch it: stories, who uses the machine, observers
  doctor      find out what works on this machine, what does not, and why
  reload      have the running agent read its configuration again
  config      check, explain or print the configuration
  version     print the version
  completion  print what makes a shell complete commands of Tapio
  man         print a manual page

Options:
  -h, --help   this, or with a command, about that command
  --version    print the version

Most commands need root, or membership in the group tapio to ask a running agent.
Exit codes: 0 fine, 1 something is wrong, 2 used wrongly or misconfigured,
3 not permitted, 4 not possible on this kernel.

Examples:
  tapio run
  tapio trace exec --for 10s
  tapio stories --since 10m
  tapio explain nginx
)"},
    {"run", R"(Run the agent, until Ctrl-C.

Usage: tapio run [OPTIONS]

  --config FILE     configuration; default /etc/tapio/tapio.yaml if it is there
  --socket PATH     where other commands reach this agent; default agent.socket of the
                    configuration, or TAPIO_SOCKET of the environment
  --for TIME        stop after this time: 500ms, 20s, 10m, 1h
  -o FORMAT         records to standard output: none (default) or json, one a line
  --set KEY=VALUE   change one setting; may be given several times; lists take a,b

SIGHUP has it read its configuration again, as `tapio reload` does.

Examples:
  tapio run --for 20s -o json
  tapio run --set observers.process.rate_per_second=1000
)"},
    {"record", R"(Run the agent, and write everything that comes in to FILE, for `tapio replay`.

Usage: tapio record FILE [OPTIONS]

  --for TIME        stop after this time: 500ms, 20s, 10m, 1h
  --max-bytes SIZE  stop when FILE is about so large; default 256MiB, at least 256KiB
  --force           replace FILE if it is there
  --no-sinks        nothing goes to the sinks that are configured
  -o FORMAT         records to standard output: none (default) or json, one a line
  --config FILE     configuration; default /etc/tapio/tapio.yaml if it is there
  --socket PATH     where other commands reach this agent
  --set KEY=VALUE   change one setting; may be given several times; lists take a,b

FILE is compressed, and only its owner can read it. Secrets in arguments are replaced
before they are written. docs/replay.md says what else is in it.

Examples:
  tapio record incident.rec --for 60s
  tapio record storm.rec --no-sinks --set observers.process.rate_per_second=0
)"},
    {"replay", R"(Play a recording again: the records and stories of then, byte for byte, as
JSON to standard output. Everything is from FILE; no privileges are needed.

Usage: tapio replay FILE [OPTIONS]

  --quiet   no records
  --stats   how many events and records, and how fast, to standard error

A file that is cut off is played as far as it goes; then the exit code is 1.

Examples:
  tapio replay incident.rec | jq 'select(.type == "story")'
  tapio replay incident.rec --quiet --stats
)"},
    {"trace", R"(Show what happens now, from the running agent, or with programs of its own.

Usage: tapio trace WHAT... [OPTIONS]

WHAT is an observer, a record, or the last part of a record's name:
  @words@

  --pid N            that process acts, or is acted on
  --uid N            that user id acts
  --comm NAME        exactly this name of a process
  --cgroup ID        in the cgroup with this id (inode number of its directory)
  --container        only inside of containers; implies --standalone
  --signal LIST      only these signals: KILL,TERM or 9,15
  --where KEY=VALUE  only records with this in a field; VALUE,VALUE: one of them
  -o FORMAT          table (default), wide (every field), json (one object a line)
  --for TIME         stop after this time: 500ms, 20s, 10m, 1h
  --max N            stop after so many records
  --standalone       do not ask the running agent, load programs
  --config FILE      configuration; default /etc/tapio/tapio.yaml if it is there
  --socket PATH      where the agent is reached
  --set KEY=VALUE    change one setting of --standalone

Records that were lost show up as gap records, at their place. A running agent has what
its configuration lets it report; --standalone reports what is asked for.

Examples:
  tapio trace signals --signal KILL
  tapio trace exec --uid 1000 -o wide
  tapio trace process --where process.executable.name=nginx --max 100 -o json
)"},
    {"stories",
     R"(Say why things happened: who killed what. Asks the running agent, and the store for
what is older than it.

Usage: tapio stories [OPTIONS]

  --since TIME    not older than this: 10m, 1h; default all that the agent keeps
  --json          an array of objects; with --follow, one object a line
  --follow        go on with new ones, until Ctrl-C
  --socket PATH   where the agent is reached
  --store PATH    the database; default sinks.store.path of the configuration

Examples:
  tapio stories --since 10m
  tapio stories --follow
)"},
    {"explain", R"(Say what happened to one thing, why, and what shows it.

Usage: tapio explain THING [OPTIONS]

THING is one of
  4242               a process; of several that had this pid, the latest
  nginx              processes with this name
  /usr/sbin/nginx    processes that ran this program
  nginx.service      a systemd unit
  0123456789ab       a container: 12 digits of its id or more
  673e9a10.42        a story

  --since TIME    not older than this: 10m, 1h; default all that is kept
  --all           every process that fits, not the latest alone
  --json          everything, as one object
  --socket PATH   where the agent is reached
  --store PATH    the database; default sinks.store.path of the configuration

Asks the running agent for stories and the store for records; each works alone. The
exit code is 1 when nothing is known.

Examples:
  tapio explain 4242
  tapio explain nginx --since 1h
)"},
    {"query",
     R"(Ask the records that were kept, in SQL (SQLite's), or by their ids. Works without an
agent, and while one writes. Nothing can be changed.

Usage: tapio query SQL [OPTIONS]
       tapio query --id ID... [OPTIONS]
       tapio query --tables

  --id ID...      these records, as stories name them in their evidence
  --tables        list tables and views with their columns
  -o FORMAT       table (default), json (an array), lines (an object a line), csv
  --max N         at most so many rows; default 1000
  --timeout TIME  give up after this time; default 10s
  --store PATH    the database; default sinks.store.path of the configuration

Names with dots want double quotes. Times are text (time) and numbers (time_ns).

Examples:
  tapio query --id 673e9a10.42
  tapio query 'SELECT time, comm, pid FROM records ORDER BY time_ns DESC LIMIT 10'
  tapio query 'SELECT time, "process.command_args" FROM "process.exec"' -o csv
)"},
    {"status", R"(Show what the running agent watches, what it costs and what it lost.

Usage: tapio status [OPTIONS]

  --json          everything, as one object
  --socket PATH   where the agent is reached

Examples:
  tapio status
  tapio status --json | jq .ledger.residue
)"},
    {"top", R"(Watch what the running agent sees: stories, who uses the machine, how observers do.

Usage: tapio top [VIEW] [OPTIONS]

VIEW is one of
  @words@
or the name of a record, like process.exit. Keys: h shows them, q quits.

  --by FIELD      a line for each value of this field of the records
  --sort COLUMN   by this column, the largest first; default the first with figures
  --once          print one picture, of 2 s, and end
  --json          the same as one object
  --for TIME      stop after this time; with --once and --json: look for so long
  --socket PATH   where the agent is reached

Figures are those of the last 10 to 20 seconds, of records that the agent hands out.

Examples:
  tapio top
  tapio top process.exec --by process.executable.path
  tapio top --once --for 10s
)"},
    {"doctor", R"(Find out what works on this machine, what does not, why, and what to do.

Usage: tapio doctor [OPTIONS]

  --json          the checks as an array of objects
  --config FILE   configuration; default /etc/tapio/tapio.yaml if it is there
  --socket PATH   where the agent is reached

The worst finding is the exit code: 1 a problem, 3 not permitted, 4 not possible here.

Example:
  sudo tapio doctor
)"},
    {"reload",
     R"(Have the running agent read its configuration again, as SIGHUP does. Says what changed,
and what needs a restart. A file with something wrong in it changes nothing. No event
is lost meanwhile.

Usage: tapio reload [OPTIONS]

  --json          what became of it, as one object
  --socket PATH   where the agent is reached

`tapio config explain KEY` says whether a setting can be changed in this way. The exit
code is 1 when the old configuration was kept.

Examples:
  tapio config check /etc/tapio/tapio.yaml && sudo tapio reload
  sudo tapio reload --json | jq .restart
)"},
    {"config", R"(Check, explain or print the configuration.

Usage: tapio config check FILE      print what is wrong with it; then exit with 1
       tapio config explain [KEY]   explain all sections, one of them, or one setting
       tapio config default         print a file with every setting and its default
       tapio config reference       print the page of all settings, in Markdown

  --config FILE   what explain calls current; /etc/tapio/tapio.yaml if it is there

Examples:
  tapio config default > tapio.yaml
  tapio config check tapio.yaml
  tapio config explain observers.process
)"},
    {"completion", R"(Print what makes a shell complete commands of Tapio.

Usage: tapio completion bash|zsh|fish     print the script; the package installs it
       tapio completion words [WORD...]   print what may follow, for the scripts

Of `words` the last one is still being written; "" is one that was not begun. Each
line has a word, a tab, and what it means; the line :files stands for names of files.

Examples:
  source <(tapio completion bash)
  tapio completion fish | source
  tapio completion words trace --si
)"},
    {"man", R"(Print a manual page, for man(1). They are made of what --help prints.

Usage: tapio man [COMMAND]
       tapio man --into DIRECTORY

  --into DIRECTORY   write all of them there: tapio.1, tapio-run.1, ...

Examples:
  tapio man | man -l -
  tapio man trace | man -l -
)"},
    {"version", R"(Print the version.

Usage: tapio version [--json]

Example:
  tapio version --json
)"},
}};

// Lines of words, as wide as the rest of the help.
std::string wrapped(std::span<const std::string> words, std::string_view indent) {
  constexpr std::size_t kColumns = 80;
  std::string out;
  std::size_t column = indent.size();
  for (const std::string& word : words) {
    if (!out.empty() && column + 1 + word.size() > kColumns) {
      out.append("\n").append(indent);
      column = indent.size();
    } else if (!out.empty()) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

}  // namespace

bool has_help(std::string_view command) {
  return std::ranges::find(kTexts, command, &Text::command) != kTexts.end();
}

std::string help(std::string_view command, std::span<const std::string> words) {
  const auto found = std::ranges::find(kTexts, command, &Text::command);
  std::string text(found == kTexts.end() ? kTexts.front().text : found->text);
  constexpr std::string_view kMark = "@words@";
  if (const auto at = text.find(kMark); at != std::string::npos)
    text.replace(at, kMark.size(), wrapped(words, "  "));
  return text;
}

}  // namespace tapio::cli
