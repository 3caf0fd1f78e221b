package dev.ensemble.server.model;

import java.util.List;

/// One change that watches may wait for, with what a filter needs to know as of its zxid.
///
/// @param acl of the znode that the event is about, as of this change (for a deletion: its last
///   one)
public record WatchEvent(Type type, String path, List<Acl> acl) {
    /// With ZooKeeper's numbers.
    public enum Type {
        NODE_CREATED(1),
        NODE_DELETED(2),
        NODE_DATA_CHANGED(3),
        NODE_CHILDREN_CHANGED(4);

        private final int number;

        Type(int number) {
            this.number = number;
        }

        /// {@return the number on the wire}
        public int number() {
            return number;
        }
    }
}
