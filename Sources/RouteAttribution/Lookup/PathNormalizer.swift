// Wingmirror · Apache-2.0
// Envoy's path normalisation, which is that of Chromium's URL canonicaliser.

/// Rewrites request paths as the proxy does before it matches them.
struct PathNormalizer {
    let mode: PathNormalization
    /// Whether a segment such as `..;x` counts as `..` (Envoy 1.40 and later).
    let ignoresDotParameters: Bool

    /// Whether an octet other than a dot after a slash stays as it is in a normalised path.
    static func isPlain(_ octet: UInt8) -> Bool {
        // Letters, digits, `-_~.` and `!$&'()*+,:;=@[]/`, one bit each.
        let low: UInt64 = 0x2FFF_FFD2_0000_0000
        let high: UInt64 = 0x47FF_FFFE_AFFF_FFFF
        return octet < 64 ? low >> UInt64(octet) & 1 == 1 : octet < 128 && high >> UInt64(octet - 64) & 1 == 1
    }

    var mergesSlashes: Bool { mode == .mergeSlashes || mode == .decodeAndMergeSlashes }

    /// Appends the normalised form of `path`, which holds neither query nor fragment, to `output`.
    ///
    /// - Returns: `false` for a path that the proxy refuses with status 400.
    func normalize(_ path: Span<UInt8>, into output: inout [UInt8], buffer: inout [UInt8]) -> Bool {
        let start = output.count
        guard mode != .none else {
            for index in path.indices { output.append(path[index]) }
            return true
        }
        if mode == .decodeAndMergeSlashes {
            buffer.removeAll(keepingCapacity: true)
            Self.unescapeSlashes(path, into: &buffer)
            guard canonicalize(buffer.span, into: &output) else { return false }
        } else {
            guard canonicalize(path, into: &output) else { return false }
        }
        if mergesSlashes { Self.mergeSlashes(in: &output, from: start) }
        return true
    }

    // MARK: - Steps

    private static func unescapeSlashes(_ path: Span<UInt8>, into output: inout [UInt8]) {
        var index = 0
        while index < path.count {
            if let octet = escaped(path, at: index), octet == UInt8(ascii: "/") || octet == UInt8(ascii: "\\") {
                output.append(octet)
                index += 3
            } else {
                output.append(path[index])
                index += 1
            }
        }
    }

    private func canonicalize(_ path: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        let start = output.count
        var index = 0
        var lonePercent: Int?
        while index < path.count {
            let octet = path[index]
            if ignoresDotParameters, let dots = Self.parameterizedDots(path, at: index) {
                // What follows the semicolon is no part of the segment, whatever it holds up to the next slash.
                if dots.count == 2 { Self.removeLastSegment(of: &output, from: start) }
                index = dots.end
                continue
            }
            let dot = Self.dotCount(path, at: index)
            if dot > 0 {
                index += Self.appendDot(path, at: index, dot: dot, into: &output, from: start)
            } else if octet == UInt8(ascii: "\\") {
                output.append(UInt8(ascii: "/"))
                index += 1
            } else if octet == UInt8(ascii: "%") {
                guard let value = Self.escaped(path, at: index) else {
                    // Not an escape; kept as it is.
                    lonePercent = output.count
                    output.append(octet)
                    index += 1
                    continue
                }
                guard value != 0 else { return false }
                if Self.isUnreserved(value) {
                    output.append(value)
                    Self.keepFromEscaping(&output, lonePercent, next: index + 3 < path.count ? path[index + 3] : nil)
                } else {
                    for offset in 0..<3 { output.append(path[index + offset]) }
                }
                index += 3
            } else if Self.isPlain(octet) {
                output.append(octet)
                index += 1
            } else {
                output.append(UInt8(ascii: "%"))
                output.append(Self.hexDigit(octet >> 4))
                output.append(Self.hexDigit(octet & 15))
                index += 1
            }
        }
        return true
    }

    /// Escapes a lone percent sign when what has just been decoded would make an escape of it.
    ///
    /// - Parameters:
    ///   - output: the path so far, which ends with the decoded octet.
    ///   - percent: where the last percent sign stands that began no escape.
    ///   - next: the octet that follows in the input.
    private static func keepFromEscaping(_ output: inout [UInt8], _ percent: Int?, next: UInt8?) {
        guard let percent, let decoded = output.last else { return }
        if percent == output.count - 2, let next, hexValue(decoded) != nil, hexValue(next) != nil {
            output.removeLast()
            output += [UInt8(ascii: "2"), UInt8(ascii: "5"), decoded]
        } else if percent == output.count - 3, hexValue(output[percent + 1]) != nil, hexValue(decoded) != nil {
            let first = output[percent + 1]
            output.removeLast(2)
            output += [UInt8(ascii: "2"), UInt8(ascii: "5"), first, decoded]
        }
    }

    /// Finds `.;` or `..;` at the beginning of a segment: how many dots, and where the next segment begins.
    private static func parameterizedDots(_ path: Span<UInt8>, at index: Int) -> (count: Int, end: Int)? {
        guard path[index] == UInt8(ascii: "."), index > 0, path[index - 1] == UInt8(ascii: "/") else { return nil }
        var next = index + 1
        if next < path.count, path[next] == UInt8(ascii: ".") { next += 1 }
        guard next < path.count, path[next] == UInt8(ascii: ";") else { return nil }
        let count = next - index
        while next < path.count, path[next] != UInt8(ascii: "/") { next += 1 }
        return (count, min(next + 1, path.count))
    }

    /// Handles a dot, which matters only behind a slash; returns how many octets it took.
    private static func appendDot(
        _ path: Span<UInt8>,
        at index: Int,
        dot: Int,
        into output: inout [UInt8],
        from start: Int
    ) -> Int {
        guard output.count > start, output.last == UInt8(ascii: "/") else {
            output.append(UInt8(ascii: "."))
            return dot
        }
        if let slash = segmentEnd(path, at: index + dot) { return dot + slash }
        let second = dotCount(path, at: index + dot)
        if second > 0, let slash = segmentEnd(path, at: index + dot + second) {
            removeLastSegment(of: &output, from: start)
            return dot + second + slash
        }
        output.append(UInt8(ascii: "."))
        return dot
    }

    /// How many octets end a segment at `index`: 0 at the end of the path, 1 for a slash; `nil` inside a segment.
    private static func segmentEnd(_ path: Span<UInt8>, at index: Int) -> Int? {
        guard index < path.count else { return 0 }
        return path[index] == UInt8(ascii: "/") || path[index] == UInt8(ascii: "\\") ? 1 : nil
    }

    private static func removeLastSegment(of output: inout [UInt8], from start: Int) {
        var last = output.count - 1
        guard last > start else { return }
        last -= 1
        while last > start, output[last] != UInt8(ascii: "/") { last -= 1 }
        output.removeSubrange((last + 1)...)
    }

    private static func mergeSlashes(in output: inout [UInt8], from start: Int) {
        var end = start
        for index in start..<output.count {
            let octet = output[index]
            if octet == UInt8(ascii: "/"), end > start, output[end - 1] == octet { continue }
            output[end] = octet
            end += 1
        }
        // Envoy keeps the slash it begins with and the one it ends with, also where they are the only ones.
        if end == start + 1, output.count > end, output[start] == UInt8(ascii: "/") { end += 1 }
        output.removeSubrange(end...)
    }

    // MARK: - Octets

    /// The length of a dot at `index`, also written `%2e`; 0 where there is none.
    private static func dotCount(_ path: Span<UInt8>, at index: Int) -> Int {
        guard index < path.count else { return 0 }
        if path[index] == UInt8(ascii: ".") { return 1 }
        return escaped(path, at: index) == UInt8(ascii: ".") ? 3 : 0
    }

    /// The octet that a valid escape at `index` stands for.
    private static func escaped(_ path: Span<UInt8>, at index: Int) -> UInt8? {
        guard index + 2 < path.count, path[index] == UInt8(ascii: "%"),
            let high = hexValue(path[index + 1]), let low = hexValue(path[index + 2])
        else { return nil }
        return high << 4 | low
    }

    private static func isUnreserved(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func hexValue(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
