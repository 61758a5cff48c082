// SPDX-License-Identifier: Apache-2.0
#include "net/curl.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <bit>

namespace tapio::net {

namespace {

// As Debian builds it against GnuTLS, which HTTP's server uses too; and as all others do.
constexpr std::array kNames = {"libcurl-gnutls.so.4", "libcurl.so.4"};

struct Loaded {
  Curl curl;
  std::string missing = load();  // "": nothing

  std::string load() {
    void* library = nullptr;
    for (const char* name : kNames)
      if (!library) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fmt::format("install libcurl: {}", ::dlerror());
#define TAPIO_CURL_FIND(name)                                                      \
  curl.name = std::bit_cast<decltype(curl.name)>(::dlsym(library, "curl_" #name)); \
  if (!curl.name) return "libcurl is too old: it has no curl_" #name;
    TAPIO_CURL_EACH(TAPIO_CURL_FIND)
#undef TAPIO_CURL_FIND
    return "";
  }
};

const Loaded& loaded() {
  static const Loaded loaded;
  return loaded;
}

}  // namespace

Result<const Curl*> load_curl() {
  if (!loaded().missing.empty()) return fail(Fault::unsupported, loaded().missing);
  static const CURLcode ready = curl().global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return fail(Fault::exhausted, "libcurl cannot be set up");
  return &curl();
}

const Curl& curl() {
  return loaded().curl;
}

}  // namespace tapio::net
