// Wingmirror · Apache-2.0

/// What the tags around a segment, VLANs and virtual networks, say of the connection that it belongs to.
public enum NetworkTags: String, Sendable, Hashable, CaseIterable {
    /// Tags tell connections apart, unless the numbers of a segment continue those of a connection under other tags.
    ///
    /// So the two halves of a connection may bear different tags, as on a mirror of two VLANs or with a router on a
    /// stick, and a packet that is mirrored under two tags is still one.
    case join
    /// Tags tell connections apart whatever the numbers say; both halves of a connection bear the same.
    case separate
    /// Tags mean nothing.
    case ignore
}
