// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "net/curl.hpp"

namespace tapio::net {

namespace {

using List = std::unique_ptr<curl_slist, FreedByCurl<&Curl::slist_free_all>>;

// More than the bound is read and forgotten, so that the connection can be used again.
class Collecting final : public HttpHearer {
 public:
  Collecting(std::string& body, std::size_t most) : body_(body), most_(most) {}
  bool on_header(std::string_view) override { return true; }
  bool on_body(std::string_view bytes) override {
    body_.append(bytes.substr(0, most_ - body_.size()));
    return true;
  }

 private:
  std::string& body_;
  std::size_t most_;
};

// What they return beside the size makes libcurl hang up.
std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) {
  const std::string_view piece(bytes, size * count);
  return static_cast<HttpHearer*>(to)->on_body(piece) ? piece.size() : CURL_WRITEFUNC_ERROR;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) {
  std::string_view line(bytes, size * count);
  const std::size_t all = line.size();
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const bool go_on = line.empty() || static_cast<HttpHearer*>(to)->on_header(line);
  return go_on ? all : CURL_WRITEFUNC_ERROR;
}

Status unavailable(std::string what) {
  return fail(Fault::unavailable, std::move(what));
}

}  // namespace

// The easy handle goes before the multi handle that it may be in.
struct HttpClient::Handles {
  std::unique_ptr<CURLM, FreedByCurl<&Curl::multi_cleanup>> multi{curl().multi_init()};
  std::unique_ptr<CURL, FreedByCurl<&Curl::easy_cleanup>> easy{curl().easy_init()};
  List headers{};
  std::string reason = std::string(CURL_ERROR_SIZE, '\0');
};

void HttpClient::Free::operator()(Handles* handles) const {
  delete handles;
}

Result<HttpClient> HttpClient::make(HttpOptions options) {
  TRY(load_curl());
  std::unique_ptr<Handles, Free> handles(new Handles);
  if (!handles->multi || !handles->easy) return fail(Fault::exhausted, "libcurl has no memory");
  return HttpClient(std::move(options), std::move(handles));
}

Result<HttpAnswer> HttpClient::post(const HttpRequest& request, const std::stop_token& stop) {
  return collect(Method::post, request, stop);
}

Result<HttpAnswer> HttpClient::get(const HttpRequest& request, const std::stop_token& stop) {
  return collect(Method::get, request, stop);
}

Result<unsigned> HttpClient::post(const HttpRequest& request, HttpHearer& hearer,
                                  const std::stop_token& stop) {
  return ask(Method::post, request, hearer, stop);
}

Result<unsigned> HttpClient::get(const HttpRequest& request, HttpHearer& hearer,
                                 const std::stop_token& stop) {
  return ask(Method::get, request, hearer, stop);
}

Result<HttpAnswer> HttpClient::collect(Method method, const HttpRequest& request,
                                       const std::stop_token& stop) {
  HttpAnswer answer;
  Collecting collecting(answer.body, options_.max_answer_bytes);
  answer.status = TRY(ask(method, request, collecting, stop));
  curl_off_t wait = 0;
  curl().easy_getinfo(handles_->easy.get(), CURLINFO_RETRY_AFTER, &wait);
  if (wait > 0) answer.retry_after = std::chrono::seconds(wait);
  return answer;
}

Result<unsigned> HttpClient::ask(Method method, const HttpRequest& request, HttpHearer& hearer,
                                 const std::stop_token& stop) {
  TRY(set_up(method, request, hearer));
  TRY(perform(stop));
  long status = 0;
  curl().easy_getinfo(handles_->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<unsigned>(status);
}

Status HttpClient::set_up(Method method, const HttpRequest& request, HttpHearer& hearer) {
  CURL* easy = handles_->easy.get();
  curl().easy_reset(easy);
  handles_->headers.reset();
  for (const std::string& header : request.headers)
    handles_->headers.reset(curl().slist_append(handles_->headers.release(), header.c_str()));
  handles_->reason.assign(CURL_ERROR_SIZE, '\0');
  CURLcode worst = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (const CURLcode code = curl().easy_setopt(easy, option, value); code != CURLE_OK)
      worst = code;
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
  if (!options_.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
  if (options_.http2) {
    set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  if (method == Method::post) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &hearer);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &hearer);
  if (worst == CURLE_OK) return {};
  return invalid(fmt::format("{}: {}", request.url, curl().easy_strerror(worst)));
}

// Through the multi interface, for it can be woken from another thread. A call over HTTP/2 looks
// again by itself: without that a few took 200 ms, which is libcurl's timer for other addresses.
Status HttpClient::perform(const std::stop_token& stop) {
  CURLM* multi = handles_->multi.get();
  CURL* easy = handles_->easy.get();
  const std::stop_callback wake(stop, [multi] { curl().multi_wakeup(multi); });
  curl().multi_add_handle(multi, easy);
  int running = 1;
  const int pause = options_.http2 && options_.time.count() > 0 ? 10 : 1000;
  while (running > 0 && !stop.stop_requested()) {
    const CURLMcode code = curl().multi_perform(multi, &running);
    if (code != CURLM_OK) break;
    if (running > 0) curl().multi_poll(multi, nullptr, 0, pause, nullptr);
  }
  int left = 0;
  const CURLMsg* message = curl().multi_info_read(multi, &left);
  const bool done = message != nullptr && message->msg == CURLMSG_DONE;
  const CURLcode result = done ? message->data.result : CURLE_ABORTED_BY_CALLBACK;
  curl().multi_remove_handle(multi, easy);
  if (result == CURLE_OK) return {};
  if (!done) return unavailable("stopped");
  return std::unexpected(failure(result));
}

Error HttpClient::failure(int code) const {
  long os_error = 0;
  curl().easy_getinfo(handles_->easy.get(), CURLINFO_OS_ERRNO, &os_error);
  if (code == CURLE_COULDNT_CONNECT && (os_error == EACCES || os_error == EPERM))
    return {Fault::denied, fmt::format("not permitted to connect to {}", options_.unix_socket)};
  if (code == CURLE_COULDNT_CONNECT && !options_.unix_socket.empty())  // libcurl names a port
    return {Fault::unavailable, fmt::format("nobody listens on {}", options_.unix_socket)};
  const std::string_view reason = handles_->reason.c_str();
  return {Fault::unavailable,
          std::string(reason.empty() ? curl().easy_strerror(static_cast<CURLcode>(code)) : reason)};
}

Status check_url(const std::string& url) {
  TRY(load_curl());
  std::unique_ptr<CURLU, FreedByCurl<&Curl::url_cleanup>> parsed(curl().url());
  if (!parsed) return fail(Fault::exhausted, "libcurl has no memory");
  const auto part = [&](CURLUPart which) -> std::string {
    char* text = nullptr;
    if (curl().url_get(parsed.get(), which, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, FreedByCurl<&Curl::free>> owned(text);
    return text;
  };
  if (curl().url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return invalid("no URL, give one like http://127.0.0.1:4318");
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return invalid("give a URL of http or https");
  if (!part(CURLUPART_USER).empty())
    return invalid("a URL is no place for a password, give it as a header");
  return {};
}

}  // namespace tapio::net
