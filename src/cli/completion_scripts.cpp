// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.hpp"

// Each asks `tapio completion words` with what was written so far, so none of them knows a command.
namespace tapio::cli {

namespace {

// bash splits words at = too; so the line is taken as it is, and what it has before the last = is
// taken off the answers.
constexpr std::string_view kBash =
    R"sh(# Completion of tapio for bash. Printed by `tapio completion bash`.
_tapio() {
  local line=${COMP_LINE:0:COMP_POINT} words current kept word help
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[-1]}
  kept=${current%"${current##*=}"}
  COMPREPLY=()
  while IFS=$'\t' read -r word help; do
    if [[ $word == :files ]]; then
      compopt -o filenames
      while read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${current#"$kept"}")
    else
      [[ $word == *= ]] && compopt -o nospace
      COMPREPLY+=("${word#"$kept"}")
    fi
  done < <("${words[0]}" completion words "${words[@]:1}" 2>/dev/null)
}
complete -F _tapio tapio
)sh";

constexpr std::string_view kZsh = R"sh(#compdef tapio
# Completion of tapio for zsh. Printed by `tapio completion zsh`.
_tapio() {
  local line word help
  local -a plain assigned
  for line in "${(@f)$(${words[1]} completion words "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    if [[ $line == :files ]]; then
      compset -P '*='
      _files
      return
    fi
    word=${${line%%$'\t'*}//:/\\:}
    help=${line#*$'\t'}
    if [[ $word == *= ]]; then
      assigned+=("$word:$help")
    else
      plain+=("$word:$help")
    fi
  done
  _describe -V 'tapio' plain
  _describe -V 'tapio' assigned -S ''
}
if [[ ${funcstack[1]} == _tapio ]]; then
  _tapio "$@"
else
  compdef _tapio tapio
fi
)sh";

constexpr std::string_view kFish =
    R"sh(# Completion of tapio for fish. Printed by `tapio completion fish`.
function __tapio_words
    set -l line (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    for word in ($line[1] completion words $line[2..] "$current" 2>/dev/null)
        if test "$word" = :files
            __fish_complete_path (string replace --regex '^.*=' '' -- "$current")
        else
            echo $word
        end
    end
end
complete --command tapio --no-files --arguments '(__tapio_words)'
)sh";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  return shell == "fish" ? kFish : "";
}

}  // namespace tapio::cli
