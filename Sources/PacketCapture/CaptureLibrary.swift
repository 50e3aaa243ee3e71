// Wingmirror · Apache-2.0

/// The library that captures.
public enum CaptureLibrary {
    /// What libpcap calls itself, with its version.
    public static var version: String {
        PcapHandle.libraryVersion
    }
}
