// SPDX-License-Identifier: Apache-2.0
#include "record/redact.hpp"

#include <algorithm>

#include "base/eights.hpp"

namespace tapio {

namespace {

using Range = Redactor::Range;
constexpr std::size_t kNone = std::string_view::npos;

// How far back from '=' a name is looked for.
constexpr std::size_t kMaxName = 128;
// "password = x": spaces around the sign that still belong to it.
constexpr std::size_t kMaxSpaces = 2;

constexpr std::string_view kEndsShellValue = " \t\r\n&;|()<>`";
constexpr std::string_view kEndsJsonValue = " \t\r\n,}]";

// How a text is to be read: an argument of a program, whose end is the end of its value; the same
// behind -H, where "Name:value" needs no space; or words for a shell.
enum class Reading : std::uint8_t { argument, header, script };

// What of a value is the secret: all, or what follows the colon in user:password.
enum class Part : std::uint8_t { none, all, behind_colon };

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_quote(char c) {
  return c == '"' || c == '\'';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '[' ||
         c == ']';
}

// "--verbose", "--log-level=debug": too much like an option to be a secret.
bool looks_like_long_option(std::string_view word) {
  if (!word.starts_with("--")) return false;
  word = word.substr(2, word.substr(2).find('='));
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return word.empty() || (word[0] >= 'a' && word[0] <= 'z' && std::ranges::all_of(word, allowed));
}

// Short options that take a secret, by the start of the program's name. Attached: "-pX", where a
// "-p" by itself takes nothing.
struct ShortOption {
  std::string_view program;
  char letter;
  enum class Place : std::uint8_t { attached, next, either } place;
  Part part;
};
constexpr ShortOption kShortOptions[] = {
    {"mysql", 'p', ShortOption::Place::attached, Part::all},
    {"mariadb", 'p', ShortOption::Place::attached, Part::all},
    {"sshpass", 'p', ShortOption::Place::either, Part::all},
    {"mongo", 'p', ShortOption::Place::next, Part::all},
    {"redis-cli", 'a', ShortOption::Place::next, Part::all},
    {"ldap", 'w', ShortOption::Place::either, Part::all},
    {"curl", 'u', ShortOption::Place::either, Part::behind_colon},
    {"curl", 'U', ShortOption::Place::either, Part::behind_colon},
};
constexpr std::string_view kCurlUsers[] = {"user", "proxy-user"};
// Programs that run the one they are given: "sudo mysql -pX".
constexpr std::string_view kWrappers[] = {
    "chroot",  "crictl", "doas",    "docker",  "env",    "exec",   "ionice", "kubectl",
    "nerdctl", "nice",   "nohup",   "nsenter", "podman", "setsid", "stdbuf", "strace",
    "sudo",    "time",   "timeout", "unshare", "watch",  "xargs"};

// What a word of a command line says about secrets.
struct Finding {
  std::size_t value = kNone;  // where one starts in this word
  Part part = Part::none;     // of that one
  Part next = Part::none;     // of the next word
};

// Reads the words of one command from left to right.
class Command {
 public:
  explicit Command(const SecretNames& names) : names_(names) {}

  // Another command starts.
  void restart() {
    program_ = {};
    wrapped_ = settled_ = false;
  }

  Finding see(std::string_view word) {
    if (ends_in_bearer(word)) return {.next = Part::all};
    if (word.size() < 2 || word[0] != '-') {
      look_for_program(word);
      return {};
    }
    if (word[1] == '-') return long_option(word);
    const Finding found = short_option(word);
    const bool known = found.part != Part::none || found.next != Part::none;
    return known ? found : long_option(word);  // -password X
  }

 private:
  [[nodiscard]] bool ends_in_bearer(std::string_view word) const {
    constexpr std::string_view kBearer = "bearer";
    if (word.size() < kBearer.size()) return false;
    const std::size_t at = word.size() - kBearer.size();
    return equal_but_for_case(word.substr(at), kBearer) &&
           (at == 0 || !is_name_char(word[at - 1])) && names_.has(kBearer);
  }

  void look_for_program(std::string_view word) {
    if (settled_) return;
    const std::string_view path = word.substr(0, word.find('='));
    if (path.size() != word.size() && !path.contains('/')) return;  // NAME=value before it
    const std::string_view base = word.substr(word.rfind('/') + 1);
    const auto known = std::ranges::find_if(
        kShortOptions, [&](const ShortOption& o) { return base.starts_with(o.program); });
    if (known != std::end(kShortOptions)) program_ = known->program;
    wrapped_ = wrapped_ || std::ranges::find(kWrappers, base) != std::end(kWrappers);
    settled_ = !wrapped_ || !program_.empty();
  }

  [[nodiscard]] Finding long_option(std::string_view word) const {
    const std::size_t equals = word.find('=');
    std::string_view name = word.substr(0, equals);
    name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
    if (program_ == "curl" && std::ranges::find(kCurlUsers, name) != std::end(kCurlUsers)) {
      if (equals == kNone) return {.next = Part::behind_colon};
      return {.value = equals + 1, .part = Part::behind_colon};
    }
    // With '=' it is found where all NAME=value are.
    if (equals != kNone) return {};
    return {.next = names_.has(name) ? Part::all : Part::none};
  }

  [[nodiscard]] Finding short_option(std::string_view word) const {
    for (const ShortOption& option : kShortOptions) {
      if (option.program != program_) continue;
      const bool attached = option.place != ShortOption::Place::next;
      const bool next = option.place != ShortOption::Place::attached;
      if (attached && word[1] == option.letter && word.size() > 2)
        return {.value = 2, .part = option.part};
      // "-sSu": letters of other options before it.
      if (next && word.back() == option.letter && std::ranges::all_of(word.substr(1), is_letter))
        return {.next = option.part};
    }
    return {};
  }

  const SecretNames& names_;
  std::string_view program_;  // of kShortOptions, or ""
  bool wrapped_ = false;
  bool settled_ = false;
};

// The ranges of one text to hide.
class Hidden {
 public:
  Hidden(std::vector<Range>& ranges, std::string_view text) : ranges_(ranges), text_(text) {
    ranges_.clear();
  }

  void add(std::size_t begin, std::size_t end, Part part) {
    if (part == Part::behind_colon) {
      const std::size_t colon = text_.substr(begin, end - begin).find(':');
      begin = colon == kNone ? end : begin + colon + 1;
    }
    while (end - begin >= 2 && is_quote(text_[begin]) && text_[end - 1] == text_[begin])
      ++begin, --end;
    const std::string_view value = text_.substr(begin, end - begin);
    if (value.empty() || value == Redactor::kMask || value == "true" || value == "false") return;
    if (ranges_.size() < Redactor::kMaxHidden)
      ranges_.push_back({begin, end});
    else
      ranges_.back() = {std::min(begin, ranges_.back().begin), text_.size()};
  }

 private:
  std::vector<Range>& ranges_;
  std::string_view text_;
};

// Where a shell's value ends: walks over quotes, knowing in which one it has started.
class Quotes {
 public:
  explicit Quotes(std::string_view text) : text_(text) {}

  // Of the value at `begin`. Calls must not go back in the text.
  std::size_t value_end(std::size_t begin, std::string_view stop) {
    const char outer = open_at(begin);
    std::size_t i = begin;
    if (i < text_.size() && is_quote(text_[i])) i = closed(i);
    if (i + 1 < text_.size() && text_[i] == '\\' && is_quote(text_[i + 1])) i = closed_escaped(i);
    while (i < text_.size()) {
      const char c = text_[i];
      if ((outer != 0 && c == outer) || stop.contains(c)) return i;
      if (c == '\\')
        i += 2;
      else
        i = is_quote(c) ? closed(i) : i + 1;
    }
    return text_.size();
  }

 private:
  // The quote that is open there, or 0.
  char open_at(std::size_t at) {
    for (; seen_ < at; ++seen_) {
      const char c = text_[seen_];
      if (c == '\\' && open_ != '\'')
        ++seen_;
      else if (open_ == 0 && is_quote(c))
        open_ = c;
      else if (c == open_)
        open_ = 0;
    }
    return open_;
  }

  // Behind the quote that closes the one at `at`.
  [[nodiscard]] std::size_t closed(std::size_t at) const {
    const char quote = text_[at];
    for (std::size_t i = at + 1; i < text_.size(); ++i) {
      if (text_[i] == quote) return i + 1;
      if (text_[i] == '\\' && quote == '"') ++i;
    }
    return text_.size();
  }

  [[nodiscard]] std::size_t closed_escaped(std::size_t at) const {
    const std::size_t end = text_.find(text_.substr(at, 2), at + 2);
    return end == kNone ? text_.size() : end + 2;
  }

  std::string_view text_;
  std::size_t seen_ = 0;
  char open_ = 0;
};

// NAME=value, "name": value, Name: value, scheme://user:password@host.
class Pairs {
 public:
  Pairs(const SecretNames& names, std::string_view text, Reading reading, Hidden& hidden)
      : names_(names), text_(text), reading_(reading), hidden_(hidden), quotes_(text) {}

  void find() {
    for (std::size_t i = 0; i < text_.size();) i = is_sign(text_[i]) ? pair(i) : i + 1;
  }

 private:
  struct Name {
    std::size_t begin, end;
    bool quoted, spaced;
  };

  static bool is_sign(char c) { return c == '=' || c == ':'; }

  // Where to go on.
  std::size_t pair(std::size_t sign) {
    if (text_.substr(sign).starts_with("://")) return url(sign + 3);
    const Name name = name_before(sign);
    if (name.begin == name.end) return sign + 1;
    if (!names_.has(text_.substr(name.begin, name.end - name.begin))) return sign + 1;
    const std::size_t begin = value_begin(name, sign);
    if (begin == kNone) return sign + 1;
    const std::size_t end = value_end(name, sign, begin);
    hidden_.add(begin, end, Part::all);
    return std::max(end, sign + 1);
  }

  [[nodiscard]] Name name_before(std::size_t sign) const {
    Name name{.begin = sign, .end = sign, .quoted = false, .spaced = false};
    while (name.end > 0 && sign - name.end < kMaxSpaces && text_[name.end - 1] == ' ') --name.end;
    name.spaced = name.end != sign;
    if (name.end > 0 && is_quote(text_[name.end - 1])) {
      --name.end;
      name.quoted = true;
      if (name.end > 0 && text_[name.end - 1] == '\\') --name.end;
    }
    name.begin = name.end;
    while (name.begin > 0 && name.end - name.begin < kMaxName &&
           is_name_char(text_[name.begin - 1]))
      --name.begin;
    return name;
  }

  // kNone: that sign gives no value.
  [[nodiscard]] std::size_t value_begin(const Name& name, std::size_t sign) const {
    std::size_t begin = sign + 1;
    const std::size_t most = begin + kMaxSpaces;
    const bool header = text_[sign] == ':' && !name.quoted;
    if (header && (begin == text_.size() || text_[begin] != ' ') && !holds_header())
      return kNone;  // "image:tag"
    if (text_[sign] == '=' && !name.spaced) return begin;
    while (begin < text_.size() && begin < most && text_[begin] == ' ') ++begin;
    return begin;
  }

  [[nodiscard]] bool holds_header() const {
    return reading_ == Reading::header || text_.starts_with("-H") || text_.starts_with("--header=");
  }

  std::size_t value_end(const Name& name, std::size_t sign, std::size_t begin) {
    const bool from_start = name.begin == 0 && !name.quoted && reading_ != Reading::script;
    if (text_[sign] == '=') {
      if (from_start && !name.spaced) return text_.size();
      return quotes_.value_end(begin, kEndsShellValue);
    }
    if (name.quoted) return quotes_.value_end(begin, kEndsJsonValue);
    return std::min(text_.find_first_of(from_start ? "\r\n" : "\r\n\"'", begin), text_.size());
  }

  // RFC 3986 section 3.2: the authority ends at / ? #; its last @ ends the user information. An
  // apostrophe may be part of it, a double quote may not.
  std::size_t url(std::size_t begin) {
    const std::string_view stop =
        reading_ != Reading::script ? "/?# \t\r\n\"<>" : "/?# \t\r\n\"'<>";
    const std::string_view rest = text_.substr(begin);
    const std::string_view authority = rest.substr(0, rest.find_first_of(stop));
    const std::size_t at = authority.rfind('@');
    if (at == kNone) return begin;
    hidden_.add(begin, begin + at, Part::behind_colon);
    return begin + at;
  }

  const SecretNames& names_;
  std::string_view text_;
  Reading reading_;
  Hidden& hidden_;
  Quotes quotes_;
};

// Options and their values among the words of a script.
class Script {
 public:
  Script(const SecretNames& names, std::string_view text, Hidden& hidden)
      : text_(text), hidden_(hidden), quotes_(text), command_(names) {}

  void find() {
    std::size_t at = 0;
    while ((at = skip_blanks(at)) < text_.size()) at = word(at);
  }

 private:
  static constexpr std::string_view kOpens = "\"'`($";
  static constexpr std::string_view kEndsCommand = ";|&`)";

  std::size_t skip_blanks(std::size_t at) {
    for (; at < text_.size() && is_blank(text_[at]); ++at)
      if (text_[at] == '\n') command_.restart();
    return at;
  }

  // Where to go on.
  std::size_t word(std::size_t begin) {
    std::size_t end = begin;
    while (end < text_.size() && !is_blank(text_[end])) ++end;
    if (is_value(begin, end)) {
      const std::size_t behind = quotes_.value_end(begin, kEndsShellValue);
      hidden_.add(begin, behind, std::exchange(next_, Part::none));
      if (text_[begin] != '-' && behind > begin) return behind;
    }
    see(begin, end);
    return end;
  }

  [[nodiscard]] bool is_value(std::size_t begin, std::size_t end) const {
    if (next_ == Part::none) return false;
    std::string_view word = text_.substr(begin, end - begin);
    if (is_quote(word[0])) word.remove_prefix(1);
    return !looks_like_long_option(word);
  }

  void see(std::size_t begin, std::size_t end) {
    next_ = Part::none;
    while (begin < end && kOpens.contains(text_[begin])) {
      if (text_[begin] != '$') command_.restart();
      ++begin;
    }
    const std::size_t raw_end = end;
    while (end > begin && (is_quote(text_[end - 1]) || kEndsCommand.contains(text_[end - 1])))
      --end;
    const std::string_view word = text_.substr(begin, end - begin);
    const Finding found = command_.see(word);
    next_ = found.next;
    if (found.part != Part::none) {
      const std::size_t value = begin + found.value;
      hidden_.add(value, quotes_.value_end(value, kEndsShellValue), found.part);
    }
    see_inner_option(word);
    if (raw_end == end || !kEndsCommand.contains(text_[raw_end - 1])) return;
    command_.restart();
    next_ = Part::none;
  }

  // JAVA_OPTS=--password X
  void see_inner_option(std::string_view word) {
    const std::size_t inner = word.find_last_of("=\"'");
    if (inner == kNone || !word.substr(inner + 1).starts_with('-')) return;
    if (const Part next = command_.see(word.substr(inner + 1)).next; next != Part::none)
      next_ = next;
  }

  std::string_view text_;
  Hidden& hidden_;
  Quotes quotes_;
  Command command_;
  Part next_ = Part::none;
};

// A word that is no option and no "Bearer" says nothing of what is behind it, see Command. This is
// asked of each argument, and of the words in a text by marks_in().
bool may_speak_of_next(std::string_view arg) {
  return arg.starts_with('-') || arg.ends_with('r') || arg.ends_with('R');
}

// Most text has none of these, so nothing in it can be a secret.
struct Marks {
  bool signs = false, blanks = false;
  bool speaks = false;  // a word, without what may stand around it, may_speak_of_next()
};
Marks marks_in(std::string_view text) {
  Marks marks;
  char before = ' ';
  for (const char c : text) {
    marks.signs |= c == '=' || c == ':';
    marks.blanks |= is_blank(c);
    marks.speaks |= c == '-' && !is_name_char(before);
    marks.speaks |= (before == 'r' || before == 'R') && !is_name_char(c);
    before = c;
  }
  marks.speaks |= before == 'r' || before == 'R';
  return marks;
}

bool is_unmarked(std::string_view text) {
  return !eights::any(text, [](std::uint64_t bytes) {
    return eights::below(bytes, ' ' + 1) | eights::is(bytes, '=') | eights::is(bytes, ':');
  });
}

void find_in(std::string_view text, Reading reading, const SecretNames& names, Hidden& hidden) {
  if (is_unmarked(text)) return;
  const auto [signs, blanks, speaks] = marks_in(text);
  if (signs) Pairs(names, text, reading, hidden).find();
  if (blanks && speaks) Script(names, text, hidden).find();
}

// How the argument behind this one is to be read. -c, -lc: as a script.
Reading reading_behind(std::string_view arg) {
  if (arg == "-H" || arg == "--header") return Reading::header;
  const bool script = arg.size() >= 2 && arg[0] == '-' && arg.back() == 'c' &&
                      std::ranges::all_of(arg.substr(1), is_letter);
  return script ? Reading::script : Reading::argument;
}

// Reads arguments from left to right.
class Args {
 public:
  explicit Args(const SecretNames& names) : names_(names), command_(names) {}

  void find(std::string_view arg, Hidden& hidden) {
    const Reading reading = std::exchange(reading_next_, reading_behind(arg));
    if (next_ != Part::none && !looks_like_long_option(arg)) {
      const Part part = std::exchange(next_, Part::none);
      hidden.add(0, arg.size(), part);
      // It may be an option after all: hide its value too.
      if (part == Part::all && !arg.starts_with('-')) return;
    }
    const Finding found = command_.see(arg);
    next_ = found.next;
    if (found.part != Part::none) hidden.add(found.value, arg.size(), found.part);
    find_in(arg, reading, names_, hidden);
  }

 private:
  const SecretNames& names_;
  Command command_;
  Part next_ = Part::none;
  Reading reading_next_ = Reading::argument;
};

}  // namespace

Redactor::Redactor(const RedactConfig& config) : enabled_(config.enabled), names_(config.names) {}

void Redactor::configure(const RedactConfig& config) {
  enabled_ = config.enabled;
  names_ = SecretNames(config.names);
}

// `text` with `hidden_` replaced, in `arena`.
std::string_view Redactor::masked(std::string_view text, Arena& arena) {
  std::ranges::sort(hidden_, {}, &Range::begin);
  scratch_.clear();
  std::size_t copied = 0;
  for (std::size_t i = 0; i < hidden_.size();) {
    const std::size_t begin = hidden_[i].begin;
    std::size_t end = hidden_[i].end;
    for (++i; i < hidden_.size() && hidden_[i].begin <= end; ++i)
      end = std::max(end, hidden_[i].end);
    scratch_.append(text.substr(copied, begin - copied)).append(kMask);
    copied = end;
    ++replaced_;
  }
  scratch_.append(text.substr(copied));
  return arena.keep(scratch_);
}

bool Redactor::redact_args(std::span<const std::string_view> in, Arena& arena,
                           std::span<const std::string_view>& out) {
  out = in;
  if (!enabled_) return false;
  std::span<std::string_view> list;
  const bool are_apart = std::ranges::none_of(in, may_speak_of_next);
  Args args(names_);
  for (std::size_t i = 0; i < in.size(); ++i) {
    Hidden hidden(hidden_, in[i]);
    if (are_apart)
      find_in(in[i], Reading::argument, names_, hidden);
    else
      args.find(in[i], hidden);
    if (hidden_.empty()) continue;
    if (list.empty()) {
      list = arena.list(in.size());
      std::ranges::copy(in, list.begin());
    }
    list[i] = masked(in[i], arena);
  }
  if (list.empty()) return false;
  out = list;
  return true;
}

std::string_view Redactor::redact_text(std::string_view text, Arena& arena) {
  if (!enabled_ || is_unmarked(text)) return text;
  Hidden hidden(hidden_, text);
  find_in(text, Reading::script, names_, hidden);
  return hidden_.empty() ? text : masked(text, arena);
}

void Redactor::redact(Record& record, Arena& arena) {
  const auto count = record.schema ? record.schema->fields.size() : 0;
  for (Value& value : std::span(record.values).first(count)) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      const auto clean = redact_text(*text, arena);
      if (clean.data() != text->data()) value = clean;
    } else if (const auto* texts = std::get_if<std::span<const std::string_view>>(&value)) {
      std::span<const std::string_view> out;
      if (redact_args(*texts, arena, out)) value = out;
    }
  }
}

}  // namespace tapio
