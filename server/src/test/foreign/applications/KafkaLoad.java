import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/// Makes topics, adds partitions, writes and reads through a broker of Kafka 3.9 that keeps its
/// metadata in this server. `java KafkaLoad TOPICS`
public class KafkaLoad {
    public static void main(String[] arguments) throws Exception {
        var settings = new Properties();
        settings.put("bootstrap.servers", "127.0.0.1:29092");
        settings.put("request.timeout.ms", "60000");
        settings.put("default.api.timeout.ms", "180000");
        settings.put("delivery.timeout.ms", "180000");
        settings.put("group.id", "g" + System.nanoTime());
        settings.put("auto.offset.reset", "earliest");
        List<String> topics = new ArrayList<>();
        int produced = 0;
        try (var admin = Admin.create(settings)) {
            try (var producer =
                    new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
                for (int i = 0; i < Integer.parseInt(arguments[0]); i++) {
                    String topic = "t" + System.nanoTime();
                    admin.createTopics(
                                    List.of(new NewTopic(topic, Optional.of(3), Optional.empty())))
                            .all()
                            .get();
                    topics.add(topic);
                    for (int k = 0; k < 200; k++, produced++) {
                        producer.send(new ProducerRecord<>(topic, "" + k, "v" + k));
                    }
                    producer.flush();
                    if (i % 5 == 4) {
                        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5)))
                                .all()
                                .get();
                    }
                }
            }
            int consumed = 0;
            try (var consumer =
                    new KafkaConsumer<>(
                            settings, new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(topics);
                long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
                while (consumed < produced && System.nanoTime() < end) {
                    consumed += consumer.poll(Duration.ofSeconds(1)).count();
                }
            }
            admin.deleteTopics(topics).all().get();
            System.out.println(
                    topics.size() + " topics, produced " + produced + ", consumed " + consumed);
        }
    }
}
