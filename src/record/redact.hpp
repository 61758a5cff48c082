// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/settings.hpp"
#include "record/record.hpp"
#include "record/secret_names.hpp"

namespace tapio {

struct RedactConfig {
  bool enabled = true;
  std::vector<std::string> names = {
      "password",    "passwd",         "passphrase",  "pass",       "pwd",
      "passin",      "passout",        "requirepass", "masterauth", "token",
      "secret",      "apikey",         "api_key",     "access_key", "private_key",
      "account_key", "encryption_key", "signing_key", "credential", "credentials",
      "auth",        "authorization",  "bearer"};

  static constexpr auto settings() {
    return std::tuple{
        Setting{"enabled", &RedactConfig::enabled,
                "Replace secrets by *** before any record leaves the pipeline."}
            .on_reload(),
        Setting{"names", &RedactConfig::names,
                "Words that make an option, variable, header or key a secret; api_key also stands "
                "for api-key and apiKey."}
            .on_reload(),
    };
  }
};

// Puts *** in the place of secrets in command lines and other text. Hidden are
//   - the value of an option or variable with a secret name (secret_names.hpp): --password X,
//     --password=X, -db-token X, API_KEY=X, also inside --set a.password=X or ?token=X&...;
//   - of headers and JSON: "Authorization: X", {"password": "X"}, and the word behind Bearer;
//   - of URLs the password: https://user:***@host/;
//   - what some programs take behind a short option: mysql -pX, sshpass -p X, curl -u user:X, ...
// Inside an argument with spaces (sh -c '...') all of that applies to its words.
//
// In doubt it hides. The argument behind --password is hidden even if it starts with '-', unless it
// looks like a long option (--verbose). An argument that starts as NAME= is the value up to its
// end, spaces included, but behind -c, where it is a script. Not hidden are empty values, true and
// false.
class Redactor {
 public:
  explicit Redactor(const RedactConfig& config = {});
  void configure(const RedactConfig& config);

  // False: nothing to hide, `out` is `in` and nothing was allocated. True: `out` lies in `arena`;
  // arguments without secrets are still those of `in`.
  bool redact_args(std::span<const std::string_view> in, Arena& arena,
                   std::span<const std::string_view>& out);
  // `text` itself when there is nothing to hide.
  [[nodiscard]] std::string_view redact_text(std::string_view text, Arena& arena);
  // All text and lists of text that the record holds, those of its context excepted.
  void redact(Record& record, Arena& arena);

  // Parts replaced so far.
  [[nodiscard]] std::uint64_t replaced() const { return replaced_; }

  struct Range {
    std::size_t begin, end;
  };
  // In one text; from the one that would be too many on, everything is hidden. It bounds how much
  // longer than its input the output can be.
  static constexpr std::size_t kMaxHidden = 32;
  static constexpr std::string_view kMask = "***";

 private:
  std::string_view masked(std::string_view text, Arena& arena);

  bool enabled_;
  SecretNames names_;
  std::vector<Range> hidden_;  // of the text at hand; kept for its memory
  std::string scratch_;
  std::uint64_t replaced_ = 0;
};

}  // namespace tapio
