// Wingmirror · Apache-2.0
// HPACK decoding errors, RFC 7541 §2.3.3, §4.2, §5.1, §5.2, §6.1.

/// Why a field block cannot be decoded; the decoder's tables and the encoder's then differ for good.
enum HPACKError: UInt8, Error, Hashable, CaseIterable {
    /// An integer above 2³¹ (RFC 7541 §5.1).
    case integerOverflow
    /// Index 0, or one beyond a table of which every entry is known (RFC 7541 §2.3.3, §6.1).
    case invalidIndex
    /// Padding that is longer than 7 bits or not all ones, or the EOS symbol (RFC 7541 §5.2).
    case invalidHuffman
    /// A dynamic table size update behind the first field (RFC 7541 §4.2).
    case misplacedSizeUpdate
    /// The block ends inside a representation.
    case truncated
}
