import java.io.FileReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import java.util.regex.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.resource.*;

/**
 * Stands in for kafka-configs.sh and kafka-acls.sh, whose jar Maven Central does not have: does what their recorded
 * arguments say through the same Admin interface. An option it does not know ends it, so that a misspelt one is seen.
 *
 * Arguments: the file of recorded commands (one a line, words between tabs), and the admin's properties.
 */
public class KafkaRecipe {
    private static final Set<String> FLAGS = Set.of("--alter", "--add", "--remove", "--force");
    private static final Set<String> OPTIONS = Set.of(
        "--bootstrap-server", "--command-config", "--entity-type", "--entity-name", "--add-config-file",
        "--delete-config", "--allow-principal", "--operation", "--topic", "--group", "--resource-pattern-type");

    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        properties.load(new FileReader(args[1]));
        List<String> lines = Files.readAllLines(Path.of(args[0]));
        properties.put("bootstrap.servers", parse(lines.get(0).split("\t")).get("--bootstrap-server").get(0));
        try (Admin admin = Admin.create(properties)) {
            for (String line : lines) {
                String[] words = line.split("\t");
                Map<String, List<String>> options = parse(words);
                if (words[0].equals("kafka-configs.sh")) configs(admin, options);
                else acls(admin, options);
            }
        }
    }

    private static Map<String, List<String>> parse(String[] words) {
        Map<String, List<String>> options = new HashMap<>();
        for (int i = 1; i < words.length; i++) {
            if (FLAGS.contains(words[i])) options.put(words[i], List.of());
            else if (OPTIONS.contains(words[i])) options.computeIfAbsent(words[i], k -> new ArrayList<>()).add(words[++i]);
            else throw new IllegalArgumentException("unknown option " + words[i]);
        }
        return options;
    }

    private static void configs(Admin admin, Map<String, List<String>> options) throws Exception {
        if (!options.containsKey("--alter") || !options.get("--entity-type").equals(List.of("users")))
            throw new IllegalArgumentException("only --alter of users");
        String user = options.get("--entity-name").get(0);
        UserScramCredentialAlteration alteration;
        if (options.containsKey("--delete-config")) {
            ScramMechanism mechanism = ScramMechanism.fromMechanismName(options.get("--delete-config").get(0));
            alteration = new UserScramCredentialDeletion(user, mechanism);
        } else {
            Matcher given = Pattern.compile("(SCRAM-SHA-\\d+)=\\[password=(\\w+)\\]")
                .matcher(options.get("--add-config-file").get(0));
            if (!given.matches()) throw new IllegalArgumentException("no SCRAM credential");
            ScramMechanism mechanism = ScramMechanism.fromMechanismName(given.group(1));
            alteration = new UserScramCredentialUpsertion(
                user, new ScramCredentialInfo(mechanism, 4096), given.group(2));
        }
        admin.alterUserScramCredentials(List.of(alteration)).all().get();
    }

    private static void acls(Admin admin, Map<String, List<String>> options) throws Exception {
        PatternType pattern = PatternType.fromString(
            options.getOrDefault("--resource-pattern-type", List.of("literal")).get(0).toUpperCase());
        List<AclBinding> bindings = new ArrayList<>();
        for (Map.Entry<String, ResourceType> kind
                : Map.of("--topic", ResourceType.TOPIC, "--group", ResourceType.GROUP).entrySet())
            for (String name : options.getOrDefault(kind.getKey(), List.of()))
                for (String operation : options.get("--operation"))
                    for (String principal : options.get("--allow-principal"))
                        bindings.add(new AclBinding(
                            new ResourcePattern(kind.getValue(), name, pattern),
                            new AccessControlEntry(principal, "*", operation(operation), AclPermissionType.ALLOW)));
        if (bindings.isEmpty() || options.containsKey("--add") == options.containsKey("--remove"))
            throw new IllegalArgumentException("--add or --remove something");
        if (options.containsKey("--add")) admin.createAcls(bindings).all().get();
        else admin.deleteAcls(bindings.stream().map(AclBinding::toFilter).toList()).all().get();
    }

    private static AclOperation operation(String name) {
        AclOperation found = Arrays.stream(AclOperation.values())
            .filter(each -> each.name().replace("_", "").equalsIgnoreCase(name)).findFirst().orElseThrow();
        return found;
    }
}
