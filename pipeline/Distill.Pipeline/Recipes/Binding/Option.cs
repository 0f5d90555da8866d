using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Distill.Pipeline.Models;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>What a path in a recipe names.</summary>
internal enum PathUse
{
    None,

    /// <summary>A folder that is there.</summary>
    Folder,

    /// <summary>A file or a folder that is there.</summary>
    Any,

    /// <summary>A file that is there, or a pattern with <c>*</c> that some files match.</summary>
    Files,

    /// <summary>A place that may not exist yet.</summary>
    Place,
}

/// <summary>
/// Makes a property of a section a key of the recipe. Everything that is known of the key stands here and nowhere else: reading,
/// validation, schema, reference, cache keys and the resolved recipe follow from it. The property's initialiser is the default.
/// </summary>
/// <param name="meaning">One or two plain sentences for the reference and the schema, without a full stop at the end.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionAttribute(string meaning) : Attribute
{
    public string Meaning { get; } = meaning;

    /// <summary>Of numbers, and of a list's length.</summary>
    public double Minimum { get; init; } = double.NaN;

    /// <inheritdoc cref="Minimum"/>
    public double Maximum { get; init; } = double.NaN;

    /// <summary>The minimum itself is not allowed.</summary>
    public bool Above { get; init; }

    /// <summary>What a number counts, e.g. <c>tokens</c>.</summary>
    public string? Unit { get; init; }

    /// <summary>Of text: most characters.</summary>
    public int Longest { get; init; } = 4096;

    public bool Required { get; init; }

    /// <summary>The default in words, where it is not one value.</summary>
    public string? Default { get; init; }

    /// <summary>Path of an earlier option whose value is the default, e.g. <c>sft.threads</c>; of a section, whose values are.</summary>
    public string? From { get; init; }

    /// <summary>False for what changes speed, price or patience only: it is part of no cache key.</summary>
    public bool DecidesResult { get; init; } = true;

    /// <summary>Of text: several words, which may be written as a list or parted by commas.</summary>
    public bool Listed { get; init; }

    /// <summary>Name of a static property of the section with the words that may be written.</summary>
    public string? Words { get; init; }

    /// <summary>A list that may also be the path of a file with a JSON object on each line.</summary>
    public bool Rows { get; init; }

    /// <summary>Of a text that is often a number, which the schema lets stand without quotes.</summary>
    public bool TakesNumbers { get; init; }

    public PathUse Path { get; init; }

    /// <summary>What of a repository of the Hub is pulled for a folder that is given as <c>hf://</c>.</summary>
    public PulledModel Pulls { get; init; }

    /// <summary>What a folder must hold.</summary>
    public string[] Files { get; init; } = [];

    /// <summary>What to do about a folder that is not there.</summary>
    public string Remedy { get; init; } = "";
}

internal enum OptionKind
{
    Integer,
    Number,
    Flag,
    Text,
    Word,
    Section,
    List,

    /// <summary>Free names with single values.</summary>
    Map,
}

/// <summary>One key of a section, as its property declares it. Immutable.</summary>
internal sealed class OptionDeclaration
{
    private readonly PropertyInfo property;
    private readonly IReadOnlyDictionary<string, object> values;

    public OptionDeclaration(PropertyInfo property, OptionAttribute attribute, object defaults)
    {
        this.property = property;
        Attribute = attribute;
        Key = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        Default = property.GetValue(defaults);
        ValueType = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        Kind = KindOf(ValueType, attribute);
        values = ValueType.IsEnum ? Enum.GetValues(ValueType).Cast<object>().ToDictionary(Spell) : WordsOf(property, attribute);
        if (Kind is OptionKind.Integer or OptionKind.Number or OptionKind.List
            && (double.IsNaN(attribute.Minimum) || double.IsNaN(attribute.Maximum)))
            throw new InvalidOperationException($"{property.DeclaringType!.Name}.{property.Name} has no range.");
    }

    public string Key { get; }

    public string PropertyName => property.Name;

    public OptionAttribute Attribute { get; }

    public OptionKind Kind { get; }

    /// <summary>Without the mark of a value that may be absent; of a list, the type of its items.</summary>
    public Type ValueType { get; }

    public Type ItemType => ValueType.GetGenericArguments()[0];

    /// <summary>The initialiser's value.</summary>
    public object? Default { get; }

    /// <summary>What may be written where only certain words may.</summary>
    public IReadOnlyCollection<string> Words => (IReadOnlyCollection<string>)values.Keys;

    public object? Get(ISection section) => property.GetValue(section);

    public void Set(ISection section, object? value) => property.SetValue(section, value);

    public object? Parse(string word) => values.GetValueOrDefault(word);

    /// <summary>An enum's value as recipes spell it.</summary>
    public static string Spell(object value)
    {
        string name = value.ToString()!;
        return value.GetType().GetField(name)!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
            ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
    }

    private static OptionKind KindOf(Type type, OptionAttribute attribute) => type switch
    {
        _ when type == typeof(int) || type == typeof(long) => OptionKind.Integer,
        _ when type == typeof(double) => OptionKind.Number,
        _ when type == typeof(bool) => OptionKind.Flag,
        _ when type.IsEnum || attribute.Words is not null => OptionKind.Word,
        _ when type == typeof(string) => OptionKind.Text,
        _ when type.IsAssignableTo(typeof(ISection)) => OptionKind.Section,
        _ when type == typeof(IReadOnlyDictionary<string, JsonElement>) => OptionKind.Map,
        _ when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) => OptionKind.List,
        _ => throw new InvalidOperationException($"{type} cannot be an option."),
    };

    private static Dictionary<string, object> WordsOf(PropertyInfo property, OptionAttribute attribute)
    {
        if (attribute.Words is not { } name) return [];
        var source = property.DeclaringType!.GetProperty(name, BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)!;
        return ((IEnumerable<string>)source.GetValue(null)!).ToDictionary(word => word, word => (object)word);
    }
}

/// <summary>The keys of one kind of section, in the order of their properties. Immutable; made once for each type.</summary>
internal sealed class SectionDeclaration
{
    private static readonly ConcurrentDictionary<Type, SectionDeclaration> Known = [];

    private readonly Type type;

    private SectionDeclaration(Type type)
    {
        this.type = type;
        var defaults = Create();
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var declared = Ancestors(type).SelectMany(owner => owner.GetProperties(All))
            .Select(property => (property, attribute: property.GetCustomAttribute<OptionAttribute>()))
            .Where(pair => pair.attribute is not null);
        Options = [.. declared.Select(pair => new OptionDeclaration(pair.property, pair.attribute!, defaults))];
    }

    public IReadOnlyList<OptionDeclaration> Options { get; }

    public static SectionDeclaration Of(Type type) => Known.GetOrAdd(type, key => new SectionDeclaration(key));

    public static SectionDeclaration Of(ISection section) => Of(section.GetType());

    /// <summary>A section with every default.</summary>
    public ISection Create() => (ISection)Activator.CreateInstance(type, nonPublic: true)!;

    public OptionDeclaration this[string property] => Options.First(option => option.PropertyName == property);

    public OptionDeclaration? Find(string key) => Options.FirstOrDefault(option => option.Key == key);

    // What every recipe has comes first; what a section has of another kind comes last.
    private static IEnumerable<Type> Ancestors(Type type)
    {
        if (type.BaseType is not { } parent || parent == typeof(object)) return [type];
        return type.IsAssignableTo(typeof(Recipe)) ? Ancestors(parent).Append(type) : Ancestors(parent).Prepend(type);
    }
}
