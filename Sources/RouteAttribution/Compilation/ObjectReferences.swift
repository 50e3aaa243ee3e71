// Wingmirror · Apache-2.0

/// How objects name Gateways and namespaces.
enum ObjectReferences {
    /// Resolves an entry of `gateways` to `namespace/name`; `mesh` stays.
    static func gateway(_ entry: String, namespace: String) -> String {
        if entry == "mesh" { return entry }
        if let slash = entry.utf8.firstIndex(of: UInt8(ascii: "/")) {
            return entry[..<slash] == "." ? namespace + entry[slash...] : entry
        }
        // The old dotted form: name.namespace, and whatever follows.
        let parts = entry.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 ? "\(parts[1])/\(parts[0])" : "\(namespace)/\(entry)"
    }
}

/// The namespaces to which an object is visible.
enum Visibility: Equatable {
    case everywhere
    case namespaces(Set<String>)

    init(exportTo: [String], namespace: String) {
        if exportTo.contains("*") {
            self = .everywhere
        } else {
            self = .namespaces(Set(exportTo.map { $0 == "." ? namespace : $0 }))
        }
    }

    /// Where a VirtualService is seen.
    ///
    /// In one that says nothing itself the mesh's default decides, of which only `.` and `*` count, in this order; a default
    /// of nothing but namespaces hides it everywhere (push_context.go initVirtualServices).
    init(_ service: VirtualService, _ environment: RouteEnvironment) {
        let meshDefault = environment.defaultVirtualServiceExportTo
        let own = service.metadata.namespace
        if !service.exportTo.isEmpty {
            self.init(exportTo: service.exportTo, namespace: own)
        } else if meshDefault.contains(".") {
            self = .namespaces([own])
        } else {
            self = meshDefault.isEmpty || meshDefault.contains("*") ? .everywhere : .namespaces([])
        }
    }

    func includes(_ namespace: String) -> Bool {
        switch self {
        case .everywhere: true
        case .namespaces(let names): names.contains(namespace)
        }
    }
}
