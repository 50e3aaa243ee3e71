// Wingmirror · Apache-2.0
// HTTP Archive, version 1.2: where the list `log.entries` lies in the document.

internal import JSONSyntax

/// Finds the entries of an HTTP archive as its octets come, so that no more than one is held at a time.
///
/// What lies around the list, as pages and what tools add of their own, is passed over by its brackets and strings; what an
/// entry holds is for whoever parses it to judge.
public struct HAREntries: Sendable {
    /// Entries that are larger than the limit, which are passed over.
    public private(set) var tooLarge = 0
    private let limits: RecordingLimits
    private var entries: [[UInt8]] = []

    /// How many objects and lists are open.
    private var depth = 0
    private var strings = JSONStringScan()
    /// The beginning of the string that was read last, outside of entries.
    private var word: [UInt8] = []
    /// The key that the next value belongs to.
    private var key: [UInt8] = []
    private var isInLog = false
    private var isInList = false
    private var hasList = false
    private var isEnded = false

    /// What has come of an entry whose end has not.
    private var entry: [UInt8] = []
    private var isInEntry = false
    /// Whether the entry is too large, so that nothing of it is kept.
    private var isSkipping = false

    /// How deep the entries lie: in the document, the log and the list.
    private static let entryDepth = 3
    /// Octets of a string that are kept; the keys that are looked for have fewer.
    private static let wordOctets = 8

    /// Makes a reader at the start of a file.
    public init(limits: RecordingLimits = RecordingLimits()) {
        self.limits = limits
    }

    /// Hands over the entries found since the last time, each as the text of a JSON value.
    public mutating func takeEntries() -> [[UInt8]] {
        defer { entries = [] }
        return entries
    }

    /// Takes the next octets of the file.
    ///
    /// - Throws: Why the file is no archive.
    public mutating func append(_ octets: [UInt8]) throws(HARReader.Failure) {
        // What lies before it of an entry that has begun has been kept.
        var start = 0
        for (place, octet) in octets.enumerated() {
            guard !strings.append(octet) else {
                if strings.isInString, !isInEntry, word.count < Self.wordOctets { word.append(octet) }
                continue
            }
            if isInList, depth == Self.entryDepth, octet == UInt8(ascii: ",") || octet == UInt8(ascii: "]") {
                endEntry(octets[start..<place])
            } else if isInList, !isInEntry, !Self.isSpace(octet) {
                isInEntry = true
                start = place
            }
            try read(octet)
        }
        if isInEntry { keep(octets[start...]) }
    }

    /// There are no more octets.
    ///
    /// - Throws: Why the file is no archive, or no whole one.
    public func finish() throws(HARReader.Failure) {
        guard isEnded else { throw HARReader.Failure(reason: "is no whole HAR file: the text ends too early") }
        guard hasList else { throw Self.noArchive }
    }

    private static var noArchive: HARReader.Failure {
        HARReader.Failure(reason: "is no HAR file: log.entries is missing")
    }

    private static func isSpace(_ octet: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(octet) }

    // MARK: - Entries

    private mutating func keep(_ part: ArraySlice<UInt8>) {
        guard !isSkipping else { return }
        guard entry.count + part.count <= limits.recordOctets else {
            isSkipping = true
            entry = []
            return
        }
        entry += part
    }

    private mutating func endEntry(_ part: ArraySlice<UInt8>) {
        guard isInEntry else { return }
        keep(part)
        if isSkipping { tooLarge += 1 } else { entries.append(entry) }
        entry = []
        isInEntry = false
        isSkipping = false
    }

    // MARK: - What lies around them

    private mutating func read(_ octet: UInt8) throws(HARReader.Failure) {
        switch octet {
        case UInt8(ascii: "{"), UInt8(ascii: "["): try open(octet)
        case UInt8(ascii: "}"), UInt8(ascii: "]"): try close()
        case _ where Self.isSpace(octet): break
        case _ where isEnded: throw Self.moreText
        case 0xEF, 0xBB, 0xBF: break
        case _ where depth == 0: throw Self.noArchive
        case UInt8(ascii: "\""): word = []
        case UInt8(ascii: ":"): key = word
        case UInt8(ascii: ","): key = []
        default: break
        }
    }

    private static var moreText: HARReader.Failure {
        HARReader.Failure(reason: "is no whole HAR file: there is more text behind the object")
    }

    private mutating func open(_ octet: UInt8) throws(HARReader.Failure) {
        switch depth {
        case 0:
            guard !isEnded else { throw Self.moreText }
            guard octet == UInt8(ascii: "{") else { throw Self.noArchive }
        case 1: isInLog = octet == UInt8(ascii: "{") && key.elementsEqual("log".utf8)
        case 2:
            isInList = isInLog && octet == UInt8(ascii: "[") && key.elementsEqual("entries".utf8)
            hasList = hasList || isInList
        default: break
        }
        depth += 1
        key = []
    }

    private mutating func close() throws(HARReader.Failure) {
        guard depth > 0 else { throw isEnded ? Self.moreText : Self.noArchive }
        depth -= 1
        if depth < Self.entryDepth {
            guard !isInEntry else {
                throw HARReader.Failure(reason: "is no whole HAR file: an entry closes what it did not open")
            }
            isInList = false
        }
        isEnded = depth == 0
        key = []
    }
}
