// Wingmirror · Apache-2.0

internal import JSONSyntax

/// An Istio DestinationRule: which subsets a host has.
struct DestinationRule: Sendable, Hashable {
    var metadata: ObjectMetadata
    var host: String
    /// The names of the subsets; `nil` stands for a null entry.
    var subsets: [String?]
    var exportTo: [String]

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        host = try spec.string("host") ?? ""
        exportTo = try spec.strings("exportTo")
        subsets = try spec.list("subsets") { entry throws(ResourceError) in
            entry.value == .null ? nil : try entry.string("name") ?? ""
        }
    }
}
