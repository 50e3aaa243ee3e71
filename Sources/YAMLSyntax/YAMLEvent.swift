// Wingmirror · Apache-2.0

/// A step in reading a YAML text; collections and documents have a beginning and an end.
struct YAMLEvent {
    enum Kind {
        case scalar(YAMLNode.Scalar)
        case alias
        case beginSequence
        case beginMapping
        case endCollection
        case beginDocument
        case endDocument
        case beginStream
        case endStream
    }

    let kind: Kind
    /// The name of the anchor before a node, or the one that an alias repeats.
    let anchor: String?
    let position: YAMLPosition
}
