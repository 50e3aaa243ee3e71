// Wingmirror · Apache-2.0

/// Where exchange records of `run` are written, and how much they say.
package struct RecordsConfiguration: Sendable, Equatable {
    /// The most content that a record may carry of one message.
    package static let contentLimit = ByteSize(mebibytes: 16)
    /// The content that a recording for other tools carries of one message when nothing is said.
    package static let recordingContent = ByteSize(mebibytes: 1)

    /// The file they are written to, `-` for standard output; empty writes none.
    package var file = ""
    /// Whether each message lists its fields.
    package var fields = false
    /// The most octets of content each message carries.
    package var contentBytes = ByteSize(0)
}

extension RecordsConfiguration {
    /// Reads the section `records`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("file", into: &file, as: .text)
        section.read("fields", into: &fields, as: .flag)
        section.read("contentBytes", into: &contentBytes, as: .byteSize(in: ByteSize(0)...Self.contentLimit))
    }
}
