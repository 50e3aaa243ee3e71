// Wingmirror · Apache-2.0

import PacketCapture

/// What this program is built from.
package enum BuildInformation {
    /// The release, as the changelog names it.
    package static let version = "0.1.0"

    /// The revision of the source, when whoever started the program says it, as an image does; else empty.
    static var revision: String { Terminal.environment("WINGMIRROR_REVISION") ?? "" }

    /// The release of the compiler, as far as a program can know its own.
    static var swiftVersion: String {
        #if compiler(>=6.4)
        "6.4 or later"
        #elseif compiler(>=6.3)
        "6.3"
        #else
        "6.2"
        #endif
    }

    /// The architecture the program is built for.
    static var architecture: String {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #else
        "other"
        #endif
    }

    /// What the capture library calls itself.
    static var libpcapVersion: String { CaptureLibrary.version }

    /// What `--version` prints.
    package static var summary: String {
        let revision = revision.isEmpty ? "" : " (\(revision))"
        return "wingmirror \(version)\(revision), Swift \(swiftVersion), \(libpcapVersion), \(architecture)"
    }
}
