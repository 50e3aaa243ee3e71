// Wingmirror · Apache-2.0
// YAML 1.1. All calls into libyaml are in this file.

import CYAML

/// Reads a text event by event.
///
/// The C functions are `yaml_parser_initialize`, `yaml_parser_set_encoding`, `yaml_parser_set_input_string`,
/// `yaml_parser_parse`, `yaml_event_delete` and `yaml_parser_delete`.
@safe
struct YAMLEventReader: ~Copyable {
    /// The library's parser, which points into itself and so must not move: it has memory of its own.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// The text, which the parser reads from as it goes on.
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ string: String) {
        let octets = string.utf8
        let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: octets.count)
        // The capacity is the number of octets, so all of them are initialised; integers need no deinitialisation.
        _ = unsafe text.initialize(fromContentsOf: octets)
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        // It fails where there is no memory, for which Swift stops a program too.
        precondition(unsafe yaml_parser_initialize(parser) == 1, "no memory to read YAML")
        // Otherwise a text in UTF-8 that begins like one in UTF-16 would be taken for that.
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
        unsafe self.parser = parser
        unsafe self.text = text
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// Reads the next event; after the end of the stream, and after an error, there is none.
    mutating func next() throws(YAMLError) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw unsafe error(parser.pointee) }
        // What counts is copied out of the event, which the library owns until then.
        defer { unsafe yaml_event_delete(&event) }
        return unsafe Self.event(event)
    }

    private static func event(_ event: yaml_event_t) -> YAMLEvent {
        var anchor: UnsafeMutablePointer<UInt8>?
        let kind: YAMLEvent.Kind
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            unsafe anchor = event.data.scalar.anchor
            kind = .scalar(unsafe scalar(event))
        case YAML_ALIAS_EVENT:
            unsafe anchor = event.data.alias.anchor
            kind = .alias
        case YAML_SEQUENCE_START_EVENT:
            unsafe anchor = event.data.sequence_start.anchor
            kind = .beginSequence
        case YAML_MAPPING_START_EVENT:
            unsafe anchor = event.data.mapping_start.anchor
            kind = .beginMapping
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .endCollection
        case YAML_DOCUMENT_START_EVENT: kind = .beginDocument
        case YAML_DOCUMENT_END_EVENT: kind = .endDocument
        case YAML_STREAM_START_EVENT: kind = .beginStream
        default: kind = .endStream
        }
        return YAMLEvent(
            kind: kind,
            anchor: unsafe word(anchor),
            position: unsafe position(event.start_mark)
        )
    }

    private static func scalar(_ event: yaml_event_t) -> YAMLNode.Scalar {
        let scalar = unsafe event.data.scalar
        // The text may hold the character 0, so its length counts; the library has checked that it is UTF-8.
        let octets = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        return YAMLNode.Scalar(
            text: unsafe String(decoding: octets, as: UTF8.self),
            tag: unsafe scalar.quoted_implicit == 1 ? YAMLTag.string : word(scalar.tag),
            isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
        )
    }

    private func error(_ parser: yaml_parser_t) -> YAMLError {
        // The library's texts are constants that end in 0.
        let words = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "no memory"
        guard unsafe parser.error != YAML_READER_ERROR else {
            return YAMLError(problem: .characters(words), position: YAMLPosition(line: 1, column: 1))
        }
        let position = unsafe Self.position(parser.problem_mark)
        // The library says of most tabs only that the character cannot start any token.
        let isTab = words.contains("tab character") || isTab(at: position)
        return YAMLError(problem: .syntax(isTab ? "a tab; YAML indents with spaces" : words), position: position)
    }

    private func isTab(at position: YAMLPosition) -> Bool {
        var (line, column) = (1, 1)
        for unsafe octet in unsafe text where octet & 0xC0 != 0x80 {
            if line == position.line, column == position.column { return octet == UInt8(ascii: "\t") }
            (line, column) = octet == UInt8(ascii: "\n") ? (line + 1, 1) : (line, column + 1)
        }
        return false
    }

    private static func position(_ mark: yaml_mark_t) -> YAMLPosition {
        YAMLPosition(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    /// A name, which the library ends with a 0.
    private static func word(_ octets: UnsafeMutablePointer<UInt8>?) -> String? {
        unsafe octets.map { unsafe String(cString: $0) }
    }
}
