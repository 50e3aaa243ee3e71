// Wingmirror · Apache-2.0

import CRE2

/// Patterns that are all matched in one pass over a text (RE2's set), however many there are.
///
/// `@unchecked Sendable`: the set is never changed after `init` but for the time that matches took, which is atomic, and RE2
/// serialises its internal caches itself.
@safe
final class RegularExpressionSet: @unchecked Sendable {
    private let set: OpaquePointer
    /// The patterns as written, in the order of their numbers.
    let texts: [String]

    /// As many matches as are told; where there are more, the patterns are better asked one by one.
    static var mostMatches: Int { 32 }
    /// As many patterns as a set may have: what it costs to make a state grows with them, and clients choose the states.
    static var mostPatterns: Int { 128 }

    /// What the program and the states of a set may occupy together, in octets; all but the program is the states'.
    static func memory(of patterns: [RegularExpression]) -> Int64 {
        RegularExpression.memory(forProgramSize: patterns.reduce(0) { $0 + $1.programSize })
    }

    /// Compiles patterns together; `nil` where their program is too large for the memory that is right for its size.
    init?(_ patterns: [RegularExpression]) {
        texts = patterns.map(\.text)
        guard let made = unsafe cre2_set_begin(Self.memory(of: patterns)) else { return nil }
        let areTaken = texts.allSatisfy { text in
            var text = NamedGroups.inOldSyntax(text)
            // The set copies the text.
            return text.withUTF8 { octets in
                unsafe octets.withMemoryRebound(to: CChar.self) { characters in
                    unsafe cre2_set_add(made, characters.baseAddress, characters.count)
                }
            }
        }
        guard areTaken, unsafe cre2_set_end(made) else {
            unsafe cre2_set_free(made)
            return nil
        }
        unsafe set = made
    }

    deinit {
        unsafe cre2_set_free(set)
    }

    /// Gives the numbers of the patterns that match the whole of a text, ascending.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - body: Takes the numbers; `nil` where the patterns are to be asked one by one: where more than ``mostMatches`` match, for
    ///     a long text, and for good once texts needed more states than there is memory for.
    /// - Returns: What `body` returns.
    func withMatches<Result>(_ text: Span<UInt8>, _ body: (Span<Int32>?) -> Result) -> Result {
        // As many as `mostMatches`.
        var numbers = InlineArray<32, Int32>(repeating: 0)
        var found = numbers.mutableSpan
        // Both buffers outlive the call; the text is only read, and no more numbers are written than fit.
        let count = unsafe found.withUnsafeMutableBufferPointer { found in
            unsafe text.withUnsafeBufferPointer {
                unsafe cre2_set_match(set, $0.baseAddress, $0.count, found.baseAddress, found.count)
            }
        }
        guard (0...Int64(numbers.count)).contains(count) else { return body(nil) }
        return body(numbers.span.extracting(first: Int(count)))
    }
}
