// Wingmirror · Apache-2.0

public import PacketDecoding

/// Something that happened to an interface, worth a line in the log.
public enum CaptureEvent: Sendable, Hashable {
    /// The filter that was asked for cannot be had here, and the old one stays.
    case filterRefused(interface: String, error: CaptureError)
    /// Another filter is in place.
    case filterChanged(interface: String)
    /// Nothing is captured here any more, because others were asked for.
    case closed(interface: String)
    /// Capturing has begun, with a ring of this size and packets of this link type.
    case opened(interface: String, ringOctets: Int, linkType: LinkType)
    /// The interface could not be opened, and is tried again and again; reported once for each reason.
    case unavailable(interface: String, error: CaptureError)
    /// Nothing can be read any more, and the interface is tried again and again.
    case lost(interface: String, error: CaptureError)
    /// The interface was taken down; capturing goes on when it comes up.
    case wentDown(interface: String)
    /// The interface came up again.
    case cameUp(interface: String)
}
