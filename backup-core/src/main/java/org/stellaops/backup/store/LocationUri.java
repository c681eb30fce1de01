package org.stellaops.backup.store;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;

/**
 * The URI of a bucket or container, read strictly, for providers of locations.
 *
 * <p>Three forms mean the same: {@code s3://bucket/folder?endpoint=https://host}, as most tools
 * write it, and restic's {@code s3:https://host/bucket/folder} and {@code gs:bucket:/folder}. Names
 * of settings are compared without case, hyphens and underscores. What a message repeats of a URI
 * are its scheme and the names of its settings; never what may be a secret that somebody put there.
 * One thread: settings are taken, and what nobody took is refused.
 */
public final class LocationUri {
  private static final Pattern SERVICE_FIRST = Pattern.compile("(https?://[^/?]+)/([^/]*)/*(.*)");
  private static final Pattern BUCKET_FIRST = Pattern.compile("([^/:]*):/*(.*)");
  private static final Pattern BUCKET = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,254}");
  private static final Pattern SETTING = Pattern.compile("[A-Za-z][A-Za-z0-9_.-]{0,40}");

  /** How people call secrets, without case and punctuation. */
  private static final Pattern SECRET =
      Pattern.compile(
          ".*(secret|passw|passphrase|token|credential|signature|accesskey|accountkey|sharedkey"
              + "|keyfile|connectionstring|bearer|apikey|auth|user|login).*"
              + "|sig|sas|sv|se|sp|sr|st|key|keyid|pwd|pass|id");

  private final String scheme;
  private final String bucket;
  private final String prefix;
  private final Optional<URI> service;
  private final Map<String, Setting> settings;

  private LocationUri(
      String scheme,
      String bucket,
      String prefix,
      Optional<URI> service,
      Map<String, Setting> settings) {
    this.scheme = scheme;
    this.bucket = bucket;
    this.prefix = prefix;
    this.service = service;
    this.settings = settings;
  }

  /** One of them, as it was written. */
  private record Setting(String name, String value) {}

  /**
   * Reads a URI.
   *
   * @param uri absolute
   * @throws BackupException.Refused SECRET_IN_LOCATION; LOCATION_REFUSED without a bucket, with a
   *     folder that no object can lie in, a fragment, or a setting twice
   */
  public static LocationUri parse(URI uri) throws BackupException.Refused {
    requireNoSecret(uri);
    String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
    if (uri.getRawFragment() != null) {
      throw refused(scheme, "has a fragment; hint: write # as %23");
    }
    String[] parts = uri.getRawSchemeSpecificPart().split("\\?", 2);
    Map<String, Setting> settings = settings(scheme, parts.length == 2 ? parts[1] : "");
    if (!uri.isOpaque()) {
      return of(
          scheme,
          Optional.ofNullable(uri.getRawAuthority()).orElse(""),
          Optional.ofNullable(uri.getRawPath()).orElse(""),
          Optional.empty(),
          settings);
    }
    Matcher serviceFirst = SERVICE_FIRST.matcher(parts[0]);
    if (serviceFirst.matches()) {
      return of(
          scheme,
          serviceFirst.group(2),
          serviceFirst.group(3),
          Optional.of(endpoint(scheme, serviceFirst.group(1))),
          settings);
    }
    Matcher bucketFirst = BUCKET_FIRST.matcher(parts[0]);
    if (bucketFirst.matches()) {
      return of(scheme, bucketFirst.group(1), bucketFirst.group(2), Optional.empty(), settings);
    }
    throw refused(scheme, "is in no form that is known; " + hint(scheme));
  }

  private static LocationUri of(
      String scheme,
      String bucket,
      String path,
      Optional<URI> service,
      Map<String, Setting> settings)
      throws BackupException.Refused {
    if (bucket.isEmpty()) {
      throw refused(scheme, "names no bucket; " + hint(scheme));
    }
    if (!BUCKET.matcher(bucket).matches()) {
      throw refused(
          scheme, "has something else where the name of a bucket belongs; " + hint(scheme));
    }
    return new LocationUri(scheme, bucket, folder(scheme, path), service, settings);
  }

  private static String folder(String scheme, String rawPath) throws BackupException.Refused {
    String folder = decoded(scheme, rawPath).replaceAll("^/|/$", "");
    if (!folder.isEmpty()) {
      try {
        ObjectName.of(folder);
      } catch (IllegalArgumentException e) {
        throw refused(scheme, "has a folder that no object can lie in: an empty or odd segment");
      }
    }
    return folder;
  }

  private static Map<String, Setting> settings(String scheme, String query)
      throws BackupException.Refused {
    Map<String, Setting> settings = new LinkedHashMap<>();
    for (String part : query.isEmpty() ? new String[0] : query.split("&")) {
      String[] pair = part.split("=", 2);
      String name = pair[0];
      if (!SETTING.matcher(name).matches() || pair.length < 2 || pair[1].isEmpty()) {
        throw refused(scheme, "has something in its query that is no name=value");
      }
      var setting = new Setting(name, decoded(scheme, pair[1]));
      if (settings.put(bare(name), setting) != null) {
        throw refused(scheme, "says " + name + " twice");
      }
    }
    return settings;
  }

  /**
   * Refuses a URI in which somebody has put credentials, without repeating any of it.
   *
   * @throws BackupException.Refused SECRET_IN_LOCATION
   */
  public static void requireNoSecret(URI uri) throws BackupException.Refused {
    String scheme = Optional.ofNullable(uri.getScheme()).orElse("").toLowerCase(Locale.ROOT);
    if (scheme.equals("file")) {
      return;
    }
    String[] parts = uri.getRawSchemeSpecificPart().split("\\?", 2);
    boolean hasUser = parts[0].replaceFirst("(?i)^https?:", "").matches("(//)?[^/]*@.*");
    if (hasUser || uri.getRawUserInfo() != null) {
      throw secret(scheme, "user information");
    }
    for (String part : parts.length == 2 ? parts[1].split("&") : new String[0]) {
      String[] pair = part.split("=", 2);
      if (SECRET.matcher(bare(pair[0])).matches()) {
        boolean isName = SETTING.matcher(pair[0]).matches();
        throw secret(scheme, isName ? "the setting " + pair[0] : "a setting");
      }
      if (pair.length == 2 && decoded(scheme, pair[1]).matches("(?i)[a-z0-9+.-]*:?//[^/]*@.*")) {
        throw secret(scheme, "user information within a setting");
      }
    }
  }

  /** The scheme, in lower case. */
  public String scheme() {
    return scheme;
  }

  /** The bucket or container. */
  public String bucket() {
    return bucket;
  }

  /** The folder in it, without slashes at its ends; empty for all of it. */
  public String prefix() {
    return prefix;
  }

  /** A setting, by any of these names; it counts as understood then. */
  public Optional<String> take(String... names) throws BackupException.Refused {
    Optional<Setting> found = Optional.empty();
    for (String name : names) {
      Optional<Setting> here = Optional.ofNullable(settings.remove(bare(name)));
      if (here.isPresent() && found.isPresent()) {
        throw refused("says %s and %s".formatted(found.get().name(), here.get().name()));
      }
      found = here.isPresent() ? here : found;
    }
    return found.map(Setting::value);
  }

  /** A setting that is true or false. */
  public Optional<Boolean> takeBoolean(String... names) throws BackupException.Refused {
    Optional<String> text = take(names);
    if (text.isPresent() && !text.get().equals("true") && !text.get().equals("false")) {
      throw refused("says of %s neither true nor false".formatted(names[0]));
    }
    return text.map(Boolean::valueOf);
  }

  /** A setting that is one of an enum's constants, without regard to case. */
  public <E extends Enum<E>> Optional<E> takeOneOf(Class<E> choices, String... names)
      throws BackupException.Refused {
    Optional<String> text = take(names);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    for (E choice : choices.getEnumConstants()) {
      if (bare(choice.name()).equals(bare(text.get()))) {
        return Optional.of(choice);
      }
    }
    throw refused(
        "says of %s none of %s"
            .formatted(
                names[0], Arrays.toString(choices.getEnumConstants()).toLowerCase(Locale.ROOT)));
  }

  /**
   * The address of the service: the setting {@code endpoint}, or what stands before the bucket.
   *
   * @return begins with {@code https://} or {@code http://}, and has no query
   */
  public Optional<URI> takeEndpoint() throws BackupException.Refused {
    Optional<String> text = take("endpoint", "endpoint-url");
    if (text.isPresent() && service.isPresent()) {
      throw refused("names two endpoints");
    }
    return text.isPresent() ? Optional.of(endpoint(scheme, text.get())) : service;
  }

  /**
   * To be called last: a setting that nobody took may be one that protects or forbids something.
   *
   * @throws BackupException.Refused LOCATION_REFUSED with its name
   */
  public void requireNoMore(String... known) throws BackupException.Refused {
    if (!settings.isEmpty()) {
      throw refused(
          "has the setting %s, which nobody knows here; hint: known are %s"
              .formatted(settings.values().iterator().next().name(), String.join(", ", known)));
    }
  }

  /** LOCATION_REFUSED, for what a kind of store does not take. */
  public BackupException.Refused refused(String why) {
    return refused(scheme, why);
  }

  /** CREDENTIALS_UNFIT: this kind of store takes others. */
  public BackupException.Refused unfit(String hint) {
    return new BackupException.Refused(
        CoreFailure.CREDENTIALS_UNFIT,
        "%s in %s: cannot be asked with these credentials; hint: %s"
            .formatted(bucket, scheme, hint));
  }

  private static URI endpoint(String scheme, String text) throws BackupException.Refused {
    try {
      URI endpoint = new URI(text);
      String protocol = String.valueOf(endpoint.getScheme());
      boolean isWeb = protocol.equals("https") || protocol.equals("http");
      if (isWeb
          && endpoint.getHost() != null
          && endpoint.getRawQuery() == null
          && endpoint.getRawFragment() == null) {
        return endpoint;
      }
    } catch (URISyntaxException e) {
      // Without the cause, which repeats the text.
      throw refused(scheme, "has an endpoint that is no URI");
    }
    throw refused(scheme, "has an endpoint that is no https://host or http://host");
  }

  private static String hint(String scheme) {
    return "hint: %s://bucket/folder?name=value".formatted(scheme);
  }

  private static String decoded(String scheme, String raw) throws BackupException.Refused {
    try {
      // A plus is a plus: this is no form of a web page.
      return URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw refused(scheme, "has a % that begins no escape");
    }
  }

  private static String bare(String name) {
    return name.replaceAll("[-_.]", "").toLowerCase(Locale.ROOT);
  }

  private static BackupException.Refused refused(String scheme, String why) {
    return new BackupException.Refused(
        CoreFailure.LOCATION_REFUSED, "the %s: URI %s".formatted(scheme, why));
  }

  private static BackupException.Refused secret(String scheme, String what) {
    return new BackupException.Refused(
        CoreFailure.SECRET_IN_LOCATION, "the %s: URI carries %s".formatted(scheme, what));
  }
}
