// Wingmirror · Apache-2.0

/// Why packets could not be read, in words for people.
public struct CaptureError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is, for a program to act on.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The process may not open packet sockets.
        case missingPermission
        /// There is no interface of that name (any more).
        case noSuchInterface
        /// The interface exists and is not up.
        case interfaceDown
        /// libpcap or the kernel refused or ended a live capture for another reason.
        case captureFailed
        /// A filter expression does not compile, or not for this link type.
        case invalidFilter
        /// The configuration asks for what cannot be done.
        case invalidConfiguration
        /// There is no savefile of that name.
        case noSuchFile
        /// The name is that of a directory.
        case isDirectory
        /// The savefile exists and cannot be opened or read.
        case unreadable
        /// The savefile holds no octet at all.
        case emptyFile
        /// The file is something else than a savefile.
        case notASavefile
        /// The file is a savefile or something like it, of a kind that libpcap does not read.
        case unsupported
        /// The savefile is broken at `offset`; what came before has been read.
        case damaged
        /// A stop came before there was anything to read.
        case stopped
        /// Privileges could not be given up, or not for good.
        case privilegesKept
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened to what, as one sentence without a full stop.
    public let sentence: String
    /// What libpcap, zlib or the system said, when that adds something.
    public let cause: String?
    /// For `.damaged`: where in the (uncompressed) savefile the record begins that could not be read.
    public let offset: Int?

    /// Makes an error of its parts.
    public init(_ code: Code, _ sentence: String, cause: String? = nil, offset: Int? = nil) {
        self.code = code
        self.sentence = sentence
        self.cause = cause
        self.offset = offset
    }

    /// Whether it is about one savefile and what it holds, not about its name or what was asked for.
    public var concernsContent: Bool {
        switch code {
        case .unreadable, .emptyFile, .notASavefile, .unsupported, .damaged: true
        default: false
        }
    }

    /// The sentence and its cause.
    public var description: String {
        guard let cause, !cause.isEmpty else {
            return sentence
        }
        return "\(sentence): \(cause)"
    }
}
