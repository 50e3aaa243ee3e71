// Wingmirror · Apache-2.0

internal import CYaml
internal import JSONSyntax

/// Keeps collections out of keys where aliases are.
///
/// The YAML parser hashes keys to find those that occur twice. A key that is an alias of a collection, or holds one, can
/// stand for more than any machine can hash, and is found only there. So the events of a text that has both anchors and
/// aliases are walked first; texts without aliases, which is nearly all, are never concerned. Keys that are plain words,
/// or aliases of them, are never refused.
enum AliasCheck {
    static func refuseAliasesInKeys(_ text: String) throws(DocumentError) {
        // An alias needs both octets, wherever they stand; whether it is one the events tell.
        guard text.utf8.contains(UInt8(ascii: "&")), text.utf8.contains(UInt8(ascii: "*")) else { return }
        var walk = KeyWalk()
        let octets = Array(text.utf8)
        Self.forEachEvent(of: octets) { walk.event($0) }
        guard walk.hasAlias, let line = walk.complexKey else { return }
        throw DocumentError(line: line, message: "a text with aliases must not have keys that are lists or objects")
    }

    /// What of an event the check looks at.
    fileprivate enum Event {
        case alias(name: String, line: Int)
        case scalar(anchor: String?)
        case beginSequence(anchor: String?, line: Int)
        case beginMapping(anchor: String?, line: Int)
        case end
        case other
    }

    /// Calls `body` for each event up to the end of the text or its first mistake, which the parser itself reports.
    ///
    /// The C functions are `yaml_parser_initialize`, `yaml_parser_set_input_string`, `yaml_parser_parse`,
    /// `yaml_event_delete` and `yaml_parser_delete`.
    private static func forEachEvent(of octets: [UInt8], _ body: (Event) -> Void) {
        var parser = unsafe yaml_parser_t()
        // The parser is a local that outlives every call below, and is given back on every way out.
        guard unsafe yaml_parser_initialize(&parser) == 1 else { return }
        defer { unsafe yaml_parser_delete(&parser) }
        unsafe octets.withUnsafeBufferPointer { buffer in
            // The octets lie still within this closure, and nothing of the parser is used after it.
            unsafe yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            unsafe yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            while true {
                var event = unsafe yaml_event_t()
                guard unsafe yaml_parser_parse(&parser, &event) == 1 else { return }
                defer { unsafe yaml_event_delete(&event) }
                if unsafe event.type == YAML_STREAM_END_EVENT || event.type == YAML_NO_EVENT { return }
                body(unsafe Self.event(event))
            }
        }
    }

    /// Copies what counts out of an event, which the library owns until it is deleted.
    private static func event(_ event: yaml_event_t) -> Event {
        let line = unsafe Int(event.start_mark.line) + 1
        switch unsafe event.type {
        case YAML_ALIAS_EVENT:
            return .alias(name: unsafe name(event.data.alias.anchor) ?? "", line: line)
        case YAML_SCALAR_EVENT: return .scalar(anchor: unsafe name(event.data.scalar.anchor))
        case YAML_SEQUENCE_START_EVENT:
            return .beginSequence(anchor: unsafe name(event.data.sequence_start.anchor), line: line)
        case YAML_MAPPING_START_EVENT:
            return .beginMapping(anchor: unsafe name(event.data.mapping_start.anchor), line: line)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
        default: return .other
        }
    }

    /// A name, which the library ends with a 0.
    private static func name(_ octets: UnsafeMutablePointer<UInt8>?) -> String? {
        guard let octets = unsafe octets else { return nil }
        return unsafe String(cString: octets)
    }
}

/// Follows the events of a text and remembers the first key that is a collection or stands for one.
private struct KeyWalk {
    /// A collection that has begun; in a mapping, whether its next node is a key.
    private struct Level {
        let isMapping: Bool
        var expectsKey: Bool
    }

    private(set) var hasAlias = false
    private(set) var complexKey: Int?
    private var levels: [Level] = []
    /// Whether the anchor of that name, as it stands now, is on a scalar.
    private var isScalar: [String: Bool] = [:]

    mutating func event(_ event: AliasCheck.Event) {
        switch event {
        case .alias(let name, let line):
            hasAlias = true
            node(isScalar: isScalar[name] ?? false, line: line)
        case .scalar(let anchor):
            if let anchor { isScalar[anchor] = true }
            node(isScalar: true, line: 0)
        case .beginSequence(let anchor, let line):
            if let anchor { isScalar[anchor] = false }
            node(isScalar: false, line: line)
            levels.append(Level(isMapping: false, expectsKey: false))
        case .beginMapping(let anchor, let line):
            if let anchor { isScalar[anchor] = false }
            node(isScalar: false, line: line)
            levels.append(Level(isMapping: true, expectsKey: true))
        case .end: levels = levels.dropLast()
        case .other: return
        }
    }

    private mutating func node(isScalar: Bool, line: Int) {
        guard let last = levels.indices.last, levels[last].isMapping else { return }
        if levels[last].expectsKey, !isScalar, complexKey == nil { complexKey = line }
        levels[last].expectsKey.toggle()
    }
}
