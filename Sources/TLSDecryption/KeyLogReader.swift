// Wingmirror · Apache-2.0
// The SSLKEYLOGFILE format: RFC 9850.

/// Puts the lines of a key log together from octets as they come, and gives their secrets to a store.
///
/// Whoever writes the log may have written half a line, so the last line waits for its end. One that is too long for a
/// line, and what stands before the first LF after a gap, is passed over.
public struct KeyLogReader: ~Copyable {
    /// What was read; only grows.
    public struct Counts: Sendable, Hashable {
        /// Lines that gave a secret.
        public internal(set) var secrets = 0
        /// Comments, empty lines, and labels that are not needed.
        public internal(set) var notNeeded = 0
        /// Lines that are none of the format.
        public internal(set) var malformed = 0

        /// Makes counts of nothing.
        public init() {}

        /// Adds what was read of another log.
        public static func += (counts: inout Counts, others: Counts) {
            counts.secrets += others.secrets
            counts.notNeeded += others.notNeeded
            counts.malformed += others.malformed
        }
    }

    private let store: KeyStore
    private var partial: [UInt8] = []
    /// Whether everything up to the next LF belongs to a line that cannot be read.
    private var isSkipping = false
    /// What was read so far.
    public private(set) var counts = Counts()

    /// Makes a reader at the start of a log.
    /// - Parameter store: Where the secrets go.
    public init(into store: KeyStore) {
        self.store = store
    }

    deinit {
        var partial = partial
        partial.wipe()
    }

    /// Reads the next octets; NULs, which a punched hole reads as, are passed over.
    public mutating func octetsArrived(_ octets: Span<UInt8>) {
        var start = 0
        for index in 0..<octets.count where octets[index] == 0x0A {
            lineEnded(octets.extracting(start..<index))
            start = index + 1
        }
        keep(octets.extracting(start..<octets.count))
    }

    /// No more octets follow those that came: reads a last line that lacks its end.
    public mutating func ended() {
        if !partial.isEmpty, !isSkipping { take(KeyLogLine.read(partial.span)) }
        partial.wipe()
        isSkipping = false
    }

    /// What comes next does not continue what came: the log was truncated, replaced, or is read from its middle.
    /// - Parameter startsLine: Whether the next octet is the first of a line.
    public mutating func interrupted(startsLine: Bool) {
        partial.wipe()
        isSkipping = !startsLine
    }

    private mutating func keep(_ rest: Span<UInt8>) {
        guard !isSkipping else { return }
        guard partial.count + rest.count <= KeyLogLine.lengthLimit else {
            let skippedNULs = rest.withoutLeadingNULs
            if partial.isEmpty, skippedNULs.count <= KeyLogLine.lengthLimit {
                partial.append(contentsOf: skippedNULs)
            } else {
                partial.wipe()
                isSkipping = true
                counts.malformed += 1
            }
            return
        }
        partial.append(contentsOf: partial.isEmpty ? rest.withoutLeadingNULs : rest)
    }

    private mutating func lineEnded(_ rest: Span<UInt8>) {
        defer { isSkipping = false }
        guard !isSkipping else { return }
        guard !partial.isEmpty else { return take(KeyLogLine.read(rest.withoutLeadingNULs)) }
        guard partial.count + rest.count <= KeyLogLine.lengthLimit else {
            counts.malformed += 1
            return partial.wipe()
        }
        partial.append(contentsOf: rest)
        take(KeyLogLine.read(partial.span))
        partial.wipe()
    }

    private mutating func take(_ line: KeyLogLine.Reading) {
        switch line {
        case .secret(let line):
            counts.secrets += 1
            store.insert(line)
        case .notNeeded: counts.notNeeded += 1
        case .malformed: counts.malformed += 1
        }
    }
}

extension Span where Element == UInt8 {
    fileprivate var withoutLeadingNULs: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var start = 0
            while start < count, self[start] == 0 { start += 1 }
            return extracting(start..<count)
        }
    }
}
