// Wingmirror · Apache-2.0
// Address spaces of their own: IEEE 802.1Q §5 (VLAN), RFC 7348 §4 (VNI), RFC 8926 §3.4, RFC 7637 §3.2 (NVGRE).

/// A header that says in which network the addresses behind it are meant.
///
/// The same addresses and ports in two VLANs are two connections. A packet may bear several tags, one behind the other;
/// they are folded into one number, which is 0 where there is none.
@usableFromInline
enum NetworkTag: Sendable, Hashable {
    /// A VLAN identifier; 0 marks a priority only.
    case vlan(UInt16)
    /// The network identifier of VXLAN, Geneve or NVGRE, 24 bits; 0 names none.
    case virtualNetwork(UInt32)

    /// What stands for a packet that bears this tag behind those that `outer` stands for.
    @inlinable
    @inline(__always)
    func folded(into outer: UInt32) -> UInt32 {
        let (identifier, kind): (UInt32, UInt32) =
            switch self {
            case .vlan(let identifier): (UInt32(identifier), 1)
            case .virtualNetwork(let identifier): (identifier, 2)
            }
        // A hash, whose carries go.
        return identifier == 0 ? outer : outer &* 0x9E37_79B1 &+ (kind << 24 | identifier)
    }
}
