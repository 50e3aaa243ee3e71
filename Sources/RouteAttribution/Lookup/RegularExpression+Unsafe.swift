// Wingmirror · Apache-2.0

import CRE2

/// A compiled RE2 pattern: Envoy's regular expressions, with its syntax, its answers and its linear time.
///
/// `@unchecked Sendable`: the pattern is never changed after `init`, and RE2 serialises its internal caches itself.
@safe
final class RegularExpression: @unchecked Sendable {
    private let pattern: OpaquePointer
    /// The pattern as written.
    let text: String

    /// What the program and the states that matching remembers may occupy together, in octets.
    let memory: Int64

    /// What a compiled program may occupy, in octets: RE2's own default, which Envoy keeps.
    static let memoryLimit: Int64 = 8 << 20

    /// What a pattern may occupy that has an ordinary program.
    ///
    /// RE2 fills a third of it with states of its automaton, and forgets them when that is full. Which states there are clients
    /// choose with their paths: with `memoryLimit` each pattern of a table could be made to hold 2.7 MiB. With this, patterns
    /// such as `/[^/]+/(a|b).*` keep all of their states, and those with thousands are matched no slower.
    static let ordinaryMemory: Int64 = 512 << 10

    /// What a pattern is given whose program has so many instructions: each may be in every state, and fewer than a hundred
    /// states are of little use.
    static func memory(forProgramSize size: Int) -> Int64 {
        min(memoryLimit, max(ordinaryMemory, Int64(size) * 1200))
    }

    /// Compiles `text`.
    ///
    /// Groups named `(?<name>…)` are taken as RE2 takes them from 2023 on, and so Envoy 1.40 and Go 1.22.
    /// - Parameter text: RE2 syntax; matching is case-sensitive unless the pattern says otherwise.
    /// - Throws: RE2's reason when the text is not a pattern, or is too large for `memoryLimit`.
    init(_ text: String) throws(RegularExpressionError) {
        self.text = text
        let text = NamedGroups.inOldSyntax(text)
        // Most programs are small, and compiled once. What has no room may have it within the limit, which decides.
        guard let compiled = try? unsafe Self.compiled(text, memory: Self.ordinaryMemory) else {
            memory = Self.memoryLimit
            unsafe pattern = try Self.compiled(text, memory: memory)
            return
        }
        let wanted = Self.memory(forProgramSize: Int(unsafe cre2_program_size(compiled)))
        guard wanted > Self.ordinaryMemory else {
            memory = Self.ordinaryMemory
            unsafe pattern = compiled
            return
        }
        unsafe cre2_free(compiled)
        memory = wanted
        unsafe pattern = try Self.compiled(text, memory: wanted)
    }

    private static func compiled(_ text: String, memory: Int64) throws(RegularExpressionError) -> OpaquePointer {
        var text = text
        var reason = [CChar](repeating: 0, count: 200)
        // Both buffers outlive the call, and the message capacity is the size of the buffer passed.
        let compiled = text.withUTF8 { octets in
            unsafe reason.withUnsafeMutableBufferPointer { reason in
                unsafe octets.withMemoryRebound(to: CChar.self) { characters in
                    unsafe cre2_compile(
                        characters.baseAddress,
                        characters.count,
                        memory,
                        reason.baseAddress,
                        reason.count
                    )
                }
            }
        }
        guard let compiled = unsafe compiled else {
            let message = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw RegularExpressionError(message: String(decoding: message, as: UTF8.self))
        }
        return unsafe compiled
    }

    deinit {
        unsafe cre2_free(pattern)
    }

    /// Whether the whole of `text` matches, never a part of it.
    func matchesWhole(_ text: Span<UInt8>) -> Bool {
        // The buffer is only read, and only during the call.
        unsafe text.withUnsafeBufferPointer { unsafe cre2_full_match(pattern, $0.baseAddress, $0.count) }
    }

    /// The number of instructions of the compiled program, the measure Envoy limits.
    var programSize: Int {
        Int(unsafe cre2_program_size(pattern))
    }
}

/// Why a text is no regular expression.
struct RegularExpressionError: Error, Sendable, Hashable {
    /// RE2's own words.
    let message: String
}
