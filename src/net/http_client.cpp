// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/fd.hpp"

namespace tapio::net {

namespace {

using List = std::unique_ptr<curl_slist, Freed<curl_slist_free_all>>;

// libcurl's own set-up of the process; it says no twice to nobody.
bool is_ready() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  return ready == CURLE_OK;
}

struct Answering {
  HttpAnswer* answer = nullptr;
  std::size_t most = 0;
};

// More than the bound is read and forgotten, so that the connection can be used again.
std::size_t take(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& answering = *static_cast<Answering*>(to);
  std::string& body = answering.answer->body;
  body.append(bytes, std::min(size * count, answering.most - body.size()));
  return size * count;
}

Status unavailable(std::string what) {
  return fail(Fault::unavailable, std::move(what));
}

}  // namespace

// The easy handle goes before the multi handle that it may be in.
struct HttpClient::Handles {
  std::unique_ptr<CURLM, Freed<curl_multi_cleanup>> multi{curl_multi_init()};
  std::unique_ptr<CURL, Freed<curl_easy_cleanup>> easy{curl_easy_init()};
  List headers{};
  Answering answering{};
  std::string reason = std::string(CURL_ERROR_SIZE, '\0');
};

void HttpClient::Free::operator()(Handles* handles) const {
  delete handles;
}

Result<HttpClient> HttpClient::make(HttpOptions options) {
  std::unique_ptr<Handles, Free> handles(is_ready() ? new Handles : nullptr);
  if (!handles || !handles->multi || !handles->easy)
    return fail(Fault::exhausted, "libcurl has no memory");
  return HttpClient(std::move(options), std::move(handles));
}

Result<HttpAnswer> HttpClient::post(const HttpRequest& request, const std::stop_token& stop) {
  HttpAnswer answer;
  TRY(set_up(request, answer));
  TRY(perform(stop));
  CURL* easy = handles_->easy.get();
  long status = 0;
  curl_off_t wait = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
  answer.status = static_cast<unsigned>(status);
  if (wait > 0) answer.retry_after = std::chrono::seconds(wait);
  return answer;
}

Status HttpClient::set_up(const HttpRequest& request, HttpAnswer& answer) {
  CURL* easy = handles_->easy.get();
  curl_easy_reset(easy);
  handles_->answering = {.answer = &answer, .most = options_.max_answer_bytes};
  handles_->headers.reset();
  for (const std::string& header : request.headers)
    handles_->headers.reset(curl_slist_append(handles_->headers.release(), header.c_str()));
  handles_->reason.assign(CURL_ERROR_SIZE, '\0');
  CURLcode worst = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) worst = code;
  };
  set(CURLOPT_ERRORBUFFER, handles_->reason.data());
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_time.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.time.count()));
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!options_.tls_ca.empty()) set(CURLOPT_CAINFO, options_.tls_ca.c_str());
  if (!options_.tls_certificate.empty()) set(CURLOPT_SSLCERT, options_.tls_certificate.c_str());
  if (!options_.tls_key.empty()) set(CURLOPT_SSLKEY, options_.tls_key.c_str());
  set(CURLOPT_HTTPHEADER, handles_->headers.get());
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDS, request.body.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(CURLOPT_WRITEFUNCTION, &take);
  set(CURLOPT_WRITEDATA, &handles_->answering);
  if (worst == CURLE_OK) return {};
  return invalid(fmt::format("{}: {}", request.url, curl_easy_strerror(worst)));
}

// Through the multi interface, for it can be woken from another thread.
Status HttpClient::perform(const std::stop_token& stop) {
  CURLM* multi = handles_->multi.get();
  CURL* easy = handles_->easy.get();
  const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  curl_multi_add_handle(multi, easy);
  int running = 1;
  while (running > 0 && !stop.stop_requested()) {
    const CURLMcode code = curl_multi_perform(multi, &running);
    if (code != CURLM_OK) break;
    if (running > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi, &left);
  const bool done = message != nullptr && message->msg == CURLMSG_DONE;
  const CURLcode result = done ? message->data.result : CURLE_ABORTED_BY_CALLBACK;
  curl_multi_remove_handle(multi, easy);
  if (result == CURLE_OK) return {};
  if (!done) return unavailable("stopped");
  const std::string_view reason = handles_->reason.c_str();
  return unavailable(std::string(reason.empty() ? curl_easy_strerror(result) : reason));
}

Status check_url(const std::string& url) {
  std::unique_ptr<CURLU, Freed<curl_url_cleanup>> parsed(curl_url());
  if (!parsed) return fail(Fault::exhausted, "libcurl has no memory");
  const auto part = [&](CURLUPart which) -> std::string {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, Freed<curl_free>> owned(text);
    return text;
  };
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return invalid("no URL, give one like http://127.0.0.1:4318");
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return invalid("give a URL of http or https");
  if (!part(CURLUPART_USER).empty())
    return invalid("a URL is no place for a password, give it as a header");
  return {};
}

}  // namespace tapio::net
