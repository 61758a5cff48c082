// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tapio {

// Tells from the name of an option, variable, header or key whether its value is a secret.
//
// Names are compared word by word, without regard to case; words end at - _ . [ ] and where
// camelCase goes up, so that "api_key" is in --api-key, X-Api-Key and myApiKey. A secret of one
// word and at least five letters may also end a word: PGPASSWORD.
//
// A word behind the secret one may say that the value is something else, like the path of a file
// (--token-file) or a number (TOKEN_TTL); a word before all others that it is a switch
// (--no-password). A bare PWD is the shell's working directory.
class SecretNames {
 public:
  explicit SecretNames(std::span<const std::string> names);

  [[nodiscard]] bool has(std::string_view name) const;

 private:
  using Words = std::span<const std::string_view>;
  // Words of `name` from its first on that `secret` takes up; 0: it is not there.
  static std::size_t starts(Words name, const std::vector<std::string>& secret);

  std::vector<std::vector<std::string>> secrets_;  // in words, in lower case
};

[[nodiscard]] bool equal_but_for_case(std::string_view text, std::string_view lower_case);

}  // namespace tapio
