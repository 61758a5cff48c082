// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include "base/result.hpp"

// What is used of libcurl. It comes with some thirty libraries, which take 3 MB of memory: they are
// loaded when somebody is to be asked over HTTP, and not by an agent that asks nobody.
// clang-format off
#define TAPIO_CURL_EACH(one) \
  one(easy_cleanup) \
  one(easy_getinfo) \
  one(easy_init) \
  one(easy_reset) \
  one(easy_setopt) \
  one(easy_strerror) \
  one(free) \
  one(global_init) \
  one(multi_add_handle) \
  one(multi_cleanup) \
  one(multi_info_read) \
  one(multi_init) \
  one(multi_perform) \
  one(multi_poll) \
  one(multi_remove_handle) \
  one(multi_wakeup) \
  one(slist_append) \
  one(slist_free_all) \
  one(url) \
  one(url_cleanup) \
  one(url_get) \
  one(url_set)
// clang-format on

namespace tapio::net {

struct Curl {
// NOLINTNEXTLINE(bugprone-macro-parentheses)
#define TAPIO_CURL_MEMBER(name) decltype(&curl_##name) name = nullptr;
  TAPIO_CURL_EACH(TAPIO_CURL_MEMBER)
#undef TAPIO_CURL_MEMBER
};

// Loaded by the first call, and there until the process ends. unsupported: there is no libcurl, or
// one that lacks something; exhausted: it could not be set up.
[[nodiscard]] Result<const Curl*> load_curl();

// Of what load_curl() has given; not before.
const Curl& curl();

// C resources: std::unique_ptr<CURL, FreedByCurl<&Curl::easy_cleanup>>.
template <auto Free>
struct FreedByCurl {
  void operator()(auto* p) const { (curl().*Free)(p); }
};

}  // namespace tapio::net
