// SPDX-License-Identifier: Apache-2.0
#include "record/secret_names.hpp"

#include <algorithm>
#include <array>
#include <ranges>

namespace tapio {

namespace {

// Of one name; what stands behind is not looked at.
constexpr std::size_t kMaxWords = 32;
constexpr std::size_t kLeastThatEndsAWord = 5;

// Behind a secret word: the value is not the secret, but about it.
constexpr std::string_view kAbout[] = {
    "count", "dir",    "directory", "endpoint", "enabled",  "env",    "expiry", "fd",      "file",
    "files", "fifo",   "host",      "id",       "ids",      "len",    "length", "limit",   "method",
    "mode",  "module", "name",      "names",    "path",     "plugin", "policy", "port",    "prompt",
    "ref",   "server", "size",      "sock",     "socket",   "stdin",  "time",   "timeout", "ttl",
    "type",  "uri",    "url",       "user",     "username", "version"};

// Before all other words: a switch, which takes no value.
constexpr std::string_view kSwitches[] = {"allow",  "ask",  "disable", "enable", "no",
                                          "prompt", "show", "skip",    "without"};

constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr char lower(char c) {
  return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool is_separator(char c) {
  return c == '-' || c == '_' || c == '.' || c == '[' || c == ']';
}

// Between what camelCase joins: "db|Password", "DB|Password".
bool goes_up(std::string_view name, std::size_t at) {
  if (!is_upper(name[at])) return false;
  return is_lower(name[at - 1]) ||
         (is_upper(name[at - 1]) && at + 1 < name.size() && is_lower(name[at + 1]));
}

struct Split {
  std::array<std::string_view, kMaxWords> words;
  std::size_t count = 0;

  explicit Split(std::string_view name) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= name.size() && count < kMaxWords; ++i) {
      const bool separator = i == name.size() || is_separator(name[i]);
      if (!separator && (i == begin || !goes_up(name, i))) continue;
      if (i > begin) words[count++] = name.substr(begin, i - begin);
      begin = separator ? i + 1 : i;
    }
  }
  [[nodiscard]] std::span<const std::string_view> all() const& {
    return std::span(words).first(count);
  }
  void all() const&& = delete;
};

bool ends_a_word(std::string_view word, std::string_view secret) {
  return secret.size() >= kLeastThatEndsAWord && word.size() > secret.size() &&
         equal_but_for_case(word.substr(word.size() - secret.size()), secret);
}

bool any_of(std::span<const std::string_view> known, std::string_view word) {
  return std::ranges::any_of(known,
                             [&](std::string_view one) { return equal_but_for_case(word, one); });
}

}  // namespace

bool equal_but_for_case(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::ranges::equal(text, lower_case, {}, [](char c) { return lower(c); });
}

SecretNames::SecretNames(std::span<const std::string> names) {
  for (const std::string& name : names) {
    const Split split(name);
    std::vector<std::string> words;
    for (const std::string_view word : split.all()) {
      words.emplace_back(word);
      std::ranges::transform(words.back(), words.back().begin(), lower);
    }
    if (!words.empty()) secrets_.push_back(std::move(words));
  }
}

std::size_t SecretNames::starts(Words name, const std::vector<std::string>& secret) {
  if (secret.size() == 1 && ends_a_word(name[0], secret[0])) return 1;
  if (name.size() < secret.size()) return 0;
  return std::ranges::equal(name.first(secret.size()), secret, equal_but_for_case) ? secret.size()
                                                                                   : 0;
}

bool SecretNames::has(std::string_view name) const {
  if (name == "PWD") return false;
  const Split split(name);
  const Words words = split.all();
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const auto& secret : secrets_) {
      if (words[i].size() < secret.front().size()) continue;
      const std::size_t taken = starts(words.subspan(i), secret);
      if (taken == 0) continue;
      if (i > 0 && any_of(kSwitches, words[0])) return false;
      const auto about = [](std::string_view word) { return any_of(kAbout, word); };
      if (std::ranges::none_of(words.subspan(i + taken), about)) return true;
    }
  }
  return false;
}

}  // namespace tapio
