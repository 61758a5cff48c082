// SPDX-License-Identifier: Apache-2.0
#include "base/config_document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <utility>

#include "base/config.hpp"
#include "base/settings.hpp"
#include "base/text.hpp"

namespace tapio::config {

namespace {

Mark mark_of(const YAML::Mark& mark) {
  return {mark.line, mark.column};
}

// Takes yaml-cpp's events, so that aliases are never followed and nothing is built beyond the
// bounds. yaml-cpp itself recurses, and gives up at 500 levels.
class Builder final : public YAML::EventHandler {
 public:
  // After an error of syntax: what stands before it.
  [[nodiscard]] Document take(bool is_whole) && {
    too_deep_ = 0;
    while (!open_.empty()) {
      Node cut = std::move(open_.back().node);
      open_.pop_back();
      if (cut.kind == Node::Kind::sequence) cut.kind = Node::Kind::refused;
      place(std::move(cut));
    }
    if (is_full_) root_.kind = Node::Kind::refused;
    return {std::move(root_), std::move(findings_), is_whole && !is_full_};
  }
  void report(Mark mark, std::string what) { findings_.push_back({mark, std::move(what)}); }

  void report_depth(Mark mark) {
    if (!std::exchange(told_depth_, true))
      report(mark, fmt::format("nested deeper than {} levels, make it flatter", kMaxDepth));
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2)
      report(mark_of(mark),
             "a second document starts here, or text that belongs to no setting, "
             "keep one mapping only");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    place(node(Node::Kind::null, mark, "?", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Node alias = node(Node::Kind::refused, mark, "?", 0);
    if (!ignores()) report(alias.mark, "aliases (*name) are not supported, write the value out");
    place(std::move(alias));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node scalar = node(Node::Kind::scalar, mark, tag, anchor);
    scalar.text = value;
    place(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    std::optional<Node> key;  // of the member whose value comes next
  };

  [[nodiscard]] bool ignores() const { return is_full_ || documents_ > 1 || too_deep_ > 0; }

  Node node(Node::Kind kind, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor) {
    Node made{
        .kind = kind, .mark = mark_of(at), .text = {}, .children = {}, .key = {}, .key_mark = {}};
    if (ignores()) return made;
    if (++nodes_ > kMaxNodes) {
      report(made.mark,
             fmt::format("the file holds more than {} keys and values, remove some", kMaxNodes));
      is_full_ = true;
    }
    if (anchor != 0) report(made.mark, "anchors (&name) are not supported, remove it");
    // yaml-cpp gives "?" for plain and "!" for quoted text without a tag.
    if (!tag.empty() && tag != "?" && tag != "!")
      report(made.mark, "tags (!name) are not supported, remove it");
    return made;
  }

  void open(Node::Kind kind, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor) {
    Node opened = node(kind, at, tag, anchor);
    if (too_deep_ > 0) {
      ++too_deep_;
    } else if (!ignores() && open_.size() == kMaxDepth) {
      report_depth(opened.mark);
      opened.kind = Node::Kind::refused;
      place(std::move(opened));
      too_deep_ = 1;
    } else if (!ignores()) {
      open_.push_back({std::move(opened), {}});
    }
  }

  void close() {
    if (too_deep_ > 0) {
      --too_deep_;
    } else if (!ignores()) {
      Node closed = std::move(open_.back().node);
      open_.pop_back();
      place(std::move(closed));
    }
  }

  void place(Node placed) {
    if (ignores()) return;
    if (open_.empty()) {
      root_ = std::move(placed);
    } else if (Open& parent = open_.back(); parent.node.kind == Node::Kind::sequence) {
      parent.node.children.push_back(std::move(placed));
    } else if (!parent.key) {
      parent.key = std::move(placed);
    } else {
      place_member(parent.node, *std::exchange(parent.key, {}), std::move(placed));
    }
  }

  void place_member(Node& mapping, Node key, Node value) {
    if (key.kind == Node::Kind::scalar) {
      value.key = std::move(key.text);
      value.key_mark = key.mark;
      mapping.children.push_back(std::move(value));
    } else if (key.kind != Node::Kind::refused) {
      report(key.mark, "a key must be the name of a setting, write 'name: value'");
    }
  }

  Node root_;
  std::vector<Open> open_;
  std::vector<Finding> findings_;
  std::size_t nodes_ = 0, documents_ = 0, too_deep_ = 0;
  bool is_full_ = false, told_depth_ = false;
};

// What yaml-cpp would take in ways of its own: other encodings, bytes that are not UTF-8 (it
// replaces them), NUL, and a carriage return alone (it does not count it as a line). Tabs before
// the first character of a line it explains badly.
std::optional<Finding> refused_text(std::string_view yaml) {
  Mark mark{0, 0};
  bool in_indentation = true;
  while (!yaml.empty()) {
    const char c = yaml.front();
    const auto length = utf8_length(yaml);
    if (length == 0) return Finding{mark, "this byte is not UTF-8, save the file as UTF-8"};
    if (c == '\t' && in_indentation) return Finding{mark, "a tab indents this line, write spaces"};
    const bool is_control = (c >= '\0' && c < ' ') || c == '\x7F';
    if (is_control && c != '\n' && c != '\t' && !yaml.starts_with("\r\n"))
      return Finding{mark, "a control character, remove it or write an escape in double quotes"};
    yaml.remove_prefix(length);
    mark.column += static_cast<int>(length);
    in_indentation = c == '\n' || (c == ' ' && in_indentation);
    if (c == '\n') mark = {mark.line + 1, 0};
  }
  return {};
}

bool parse(std::string_view yaml, Builder& builder) {
  std::istringstream in{std::string(yaml)};
  try {
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(builder)) (void)parser.HandleNextDocument(builder);
    return true;
  } catch (const YAML::DeepRecursion& e) {
    builder.report_depth(mark_of(e.mark));
  } catch (const YAML::Exception& e) {
    builder.report(mark_of(e.mark),
                   fmt::format("not YAML from here on ({}), check the indentation, quotes and "
                               "brackets here and above",
                               printable(e.msg)));
  }
  return false;
}

}  // namespace

Document read_document(std::string_view yaml) {
  if (yaml.size() > kMaxFileBytes)
    return {
        {},
        {{{}, fmt::format("the file is larger than {} bytes, make it smaller", kMaxFileBytes)}}};
  if (auto refused = refused_text(yaml)) return {{}, {std::move(*refused)}};
  Builder builder;
  const bool is_whole = parse(yaml, builder);
  return std::move(builder).take(is_whole);
}

}  // namespace tapio::config
