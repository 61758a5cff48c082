// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "cli/commands.hpp"
#include "cli/frame.hpp"
#include "cli/from_json.hpp"
#include "cli/load.hpp"
#include "cli/out.hpp"
#include "cli/screen.hpp"
#include "cli/signals.hpp"
#include "serve/client.hpp"

namespace tapio::cli {

using serve::Json;

namespace {

constexpr std::chrono::seconds kEvery{1};     // a picture, and a question for the status
constexpr std::chrono::seconds kLook{2};      // before one picture is printed
constexpr std::chrono::hours kOldStories{1};  // told before we came
constexpr std::size_t kLinesAtOnce = 2'000;   // of the stream, before keys are looked at again
constexpr std::size_t kPage = 10;

Now read_clocks() {
  const MonotonicTime now = monotonic_now();
  return {now, now + Clocks::read().wall_ahead};
}

// What the agent says, without waiting for it.
class Source {
 public:
  static Result<Source> open(const std::string& socket, const Pages& pages, Watch& watch) {
    auto stream = TRY(
        serve::Stream::open(socket, {.command = serve::Command::stream, .names = names_of(pages)}));
    const auto stories = TRY(serve::ask(socket, {.command = serve::Command::stories,
                                                 .since = std::chrono::milliseconds(kOldStories)}));
    const Json told = TRY(serve::parse_json(stories));
    for (const Json& story : told.items()) watch.add_story(story_from_json(story));
    const auto status = TRY(serve::ask(socket, {.command = serve::Command::status}));
    watch.add_status(TRY(serve::parse_json(status)), monotonic_now());
    return Source(socket, std::move(stream), watch);
  }

  [[nodiscard]] int stream() const { return stream_.socket(); }
  [[nodiscard]] int status() const { return status_ ? status_->socket() : -1; }

  // One question at a time, so that a slow agent is not asked more and more.
  Status ask_status() {
    if (!status_) status_ = TRY(serve::Stream::open(socket_, {.command = serve::Command::status}));
    return {};
  }
  Status read() {
    for (std::size_t i = 0; i < kLinesAtOnce; ++i) {
      const auto line = TRY(stream_.next());
      if (!line) break;
      watch_->add_line(TRY(serve::parse_json(*line)), monotonic_now());
    }
    if (stream_.ended()) return fail(Fault::unavailable, "the agent stopped");
    if (!status_) return {};
    const auto line = TRY(status_->next());
    if (line) watch_->add_status(TRY(serve::parse_json(*line)), monotonic_now());
    if (line || status_->ended()) status_.reset();
    return {};
  }

 private:
  Source(std::string socket, serve::Stream stream, Watch& watch)
      : socket_(std::move(socket)), stream_(std::move(stream)), watch_(&watch) {}

  static std::vector<std::string> names_of(const Pages& pages) {
    std::vector<std::string> names = {std::string(kStorySchema.name)};
    for (const Page& page : pages.all)
      if (page.view && std::ranges::find(names, page.view->schema->name) == names.end())
        names.emplace_back(page.view->schema->name);
    if (names.size() > serve::kMaxNames) names.clear();  // then it is all
    return names;
  }

  std::string socket_;
  serve::Stream stream_;
  std::optional<serve::Stream> status_;
  Watch* watch_;
};

std::vector<const View*> views_of(const Pages& pages) {
  std::vector<const View*> views;
  for (const Page& page : pages.all)
    if (page.view) views.push_back(page.view);
  return views;
}

bool is_alike(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Result<std::size_t> sort_of(const Page& page, const std::optional<std::string>& asked) {
  if (!asked) return 0;
  if (!page.view) return invalid(fmt::format("--sort wants a view of records, not {}", page.name));
  std::vector<std::string> heads;
  for (const Figure& figure : page.view->figures) heads.emplace_back(figure.head);
  heads.emplace_back(page.view->head);
  const auto found =
      std::ranges::find_if(heads, [&](const std::string& head) { return is_alike(head, *asked); });
  if (found == heads.end())
    return invalid(fmt::format("no column is called {}; there are {}", config::shown(*asked),
                               fmt::join(heads, ", ")));
  return static_cast<std::size_t>(found - heads.begin());
}

// What a key does to the look. False: enough.
class Keyboard {
 public:
  Keyboard(const Pages& pages, Look& look) : pages_(pages), look_(look) {}

  bool press(const Pressed& pressed) {
    return pressed.key ? press(*pressed.key) : press(pressed.letter);
  }

 private:
  bool press(char letter) {
    switch (letter) {
      case 'q':
      case 'Q':
        return false;
      case 's':
        look_.sort = (look_.sort + 1) % columns();
        break;
      case 'r':
        look_.reverse = !look_.reverse;
        break;
      case 'p':
      case ' ':
        look_.paused = !look_.paused;
        break;
      case 'h':
      case '?':
        look_.help = !look_.help;
        break;
      case 'k':
        return press(Key::up);
      case 'j':
        return press(Key::down);
      case '\t':
        return press(Key::right);
      default:
        if (letter >= '1' && letter <= '9') turn_to(static_cast<std::size_t>(letter - '1'));
    }
    return true;
  }
  bool press(Key key) {
    const std::size_t count = pages_.all.size();
    switch (key) {
      case Key::up:
        look_.first -= std::min<std::size_t>(look_.first, 1);
        break;
      case Key::down:
        ++look_.first;
        break;
      case Key::page_up:
        look_.first -= std::min(look_.first, kPage);
        break;
      case Key::page_down:
        look_.first += kPage;
        break;
      case Key::right:
        turn_to((look_.page + 1) % count);
        break;
      case Key::left:
      case Key::back:
        turn_to((look_.page + count - 1) % count);
        break;
      case Key::escape:
        look_.help = false;
        break;
    }
    return true;
  }
  [[nodiscard]] std::size_t columns() const {
    const View* view = pages_.all[look_.page].view;
    return view ? view->figures.size() + 1 : 1;
  }
  void turn_to(std::size_t page) {
    if (page >= pages_.all.size()) return;
    look_ = {.page = page, .paused = look_.paused};
  }

  const Pages& pages_;
  Look& look_;
};

// The picture on the terminal, until somebody has enough.
class Show {
 public:
  Show(Source& source, Watch& watch, const Pages& pages, Look look, Screen& screen,
       Signals& signals)
      : source_(source),
        watch_(watch),
        pages_(pages),
        look_(look),
        screen_(screen),
        signals_(signals) {}

  Status run(MonotonicTime end) {
    Keyboard keyboard(pages_, look_);
    MonotonicTime next = monotonic_now();
    while (monotonic_now() < end && !screen_.gone()) {
      if (monotonic_now() >= next) {
        TRY(source_.ask_status());
        paint(Fresh::figures);
        next = monotonic_now() + kEvery;
      }
      wait(std::min(next, end));
      TRY(source_.read());
      screen_.write();
      while (const auto pressed = screen_.next_key()) {
        if (!keyboard.press(*pressed)) return {};
        paint(Fresh::look);
      }
      if (!heed_signals()) return {};
    }
    return {};
  }

 private:
  enum class Fresh : std::uint8_t { figures, look };

  // While it is held, the figures are those of the moment when it was.
  void paint(Fresh what) {
    if (look_.paused && what == Fresh::figures) return;
    screen_.show(draw(watch_, pages_, look_, screen_.size(), read_clocks()));
  }
  void wait(MonotonicTime until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - monotonic_now());
    std::array<pollfd, 4> polled = {
        {{source_.stream(), POLLIN, 0},
         {source_.status(), POLLIN, 0},
         {signals_.fd(), POLLIN, 0},
         {screen_.fd(), static_cast<short>(screen_.is_writing() ? POLLIN | POLLOUT : POLLIN), 0}}};
    ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
  }
  // False: one that ends us.
  bool heed_signals() {
    while (const auto signal = signals_.next()) {
      if (*signal == SIGTSTP)
        stop();
      else if (*signal != SIGWINCH)
        return false;
      paint(Fresh::look);
    }
    return true;
  }
  void stop() {
    screen_.leave();
    ::raise(SIGSTOP);
    screen_.enter();
  }

  Source& source_;
  Watch& watch_;
  const Pages& pages_;
  Look look_;
  Screen& screen_;
  Signals& signals_;
};

Status show(const std::string& socket, const Pages& pages, Look look,
            std::optional<std::chrono::milliseconds> duration) {
  Watch watch(views_of(pages), monotonic_now());
  Source source = TRY(Source::open(socket, pages, watch));
  const auto signals = TRY(Signals::take({SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH}));
  const auto screen = TRY(Screen::open());
  const auto end = duration ? monotonic_now() + *duration : MonotonicTime::max();
  return Show(source, watch, pages, look, *screen, *signals).run(end);
}

// One picture, of a look that took a while.
Status print_one(const std::string& socket, const Pages& pages, Look look,
                 const Arguments& arguments) {
  Watch watch(views_of(pages), monotonic_now());
  Source source = TRY(Source::open(socket, pages, watch));
  const auto end = monotonic_now() + arguments.duration.value_or(kLook);
  while (monotonic_now() < end) {
    pollfd polled{source.stream(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - monotonic_now());
    ::poll(&polled, 1, static_cast<int>(left.count()));
    TRY(source.read());
  }
  const auto status = TRY(serve::ask(socket, {.command = serve::Command::status}));
  watch.add_status(TRY(serve::parse_json(status)), monotonic_now());
  Out out(STDOUT_FILENO);
  if (arguments.json) {
    out.add(frame_json(watch, pages, look.page, read_clocks()) + "\n");
    return out.write();
  }
  const Size size{.columns = out.terminal_columns(), .rows = 0};
  for (const FrameLine& line : draw(watch, pages, look, size, read_clocks()))
    out.add(line.text + "\n");
  return out.write();
}

Status top_of(const Arguments& arguments, const Agent& agent,
              std::span<const Descriptor* const> observers) {
  const std::string asked = arguments.thing.empty() ? std::string(kOverview) : arguments.thing;
  const auto all = TRY(pages(observers, asked, arguments.by));
  const Look look{.page = all.first, .sort = TRY(sort_of(all.all[all.first], arguments.sort))};
  const auto socket = socket_path(agent, arguments.socket, load(agent, std::nullopt).tree);
  if (arguments.once || arguments.json) return print_one(socket, all, look, arguments);
  return show(socket, all, look, arguments.duration);
}

}  // namespace

Exit top(const Arguments& arguments, const Agent& agent,
         std::span<const Descriptor* const> observers) {
  const Status done = top_of(arguments, agent, observers);
  return done ? Exit::fine : complain(done.error());
}

}  // namespace tapio::cli
