using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Publishing.Licences;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Publishing;

/// <summary>
/// Metadata of a data set in the Croissant format 1.1 (MLCommons; JSON-LD over schema.org): files with digests, the columns as fields of
/// a record set, licence, and where it came from in the words of PROV-O.
/// </summary>
internal static class Croissant
{
    public const string Name = "croissant.json", Version = "http://mlcommons.org/croissant/1.1";

    private const string FileSet = "parquet-files", Records = "traces";

    private static readonly JsonSerializerOptions Spelling = new() { WriteIndented = true, NewLine = "\n" };

    private static readonly string[] Terms =
    [
        "arrayShape", "column", "extract", "field", "fileProperty", "fileObject", "fileSet", "includes", "isArray", "jsonPath", "key",
        "recordSet", "source", "subField", "transform",
    ];

    /// <summary>UTF-8 JSON; equal publications give equal bytes.</summary>
    public static byte[] ToBytes(Publication publication, IReadOnlyList<ArtifactFile> files)
    {
        var root = new JsonObject
        {
            ["@context"] = Context(),
            ["@type"] = "sc:Dataset",
            ["conformsTo"] = Version,
            ["name"] = publication.Title,
            ["description"] = publication.Summary,
            ["license"] = LicenceTable.Find(publication.Licence)?.Url ?? publication.Licence,
            ["url"] = publication.Url ?? UrnOf(files),
            ["creator"] = new JsonObject { ["@type"] = "Organization", ["name"] = publication.Creator },
            ["keywords"] = new JsonArray("reasoning", "distillation", "synthetic"),
            ["version"] = "1.0.0",
            ["distribution"] = new JsonArray([.. files.Select(FileObject), FileSetOf()]),
            ["recordSet"] = new JsonArray(RecordSet(publication.IsGraded ? TraceColumns.Graded : TraceColumns.Raw)),
        };
        if (publication.Published is { } day) root["datePublished"] = day.ToString("yyyy-MM-dd");
        AddProvenance(root, publication);
        return [.. JsonSerializer.SerializeToUtf8Bytes(root, Spelling), (byte)'\n'];
    }

    // A name that stands for exactly these files, as long as nobody knows where they will lie.
    private static string UrnOf(IReadOnlyList<ArtifactFile> files) =>
        $"urn:sha256:{FileDigest.Of(Encoding.UTF8.GetBytes(string.Concat(files.Select(file => file.Sha256))))}";

    private static JsonObject Context()
    {
        var context = new JsonObject
        {
            ["@language"] = "en", ["@vocab"] = "http://schema.org/", ["sc"] = "http://schema.org/",
            ["cr"] = "http://mlcommons.org/croissant/", ["dct"] = "http://purl.org/dc/terms/", ["prov"] = "http://www.w3.org/ns/prov#",
            ["conformsTo"] = "dct:conformsTo", ["dataType"] = new JsonObject { ["@id"] = "cr:dataType", ["@type"] = "@vocab" },
        };
        foreach (string term in Terms) context[term] = $"cr:{term}";
        return context;
    }

    private static JsonObject FileObject(ArtifactFile file) => new()
    {
        ["@type"] = "cr:FileObject", ["@id"] = file.Path, ["name"] = file.Path, ["contentUrl"] = file.Path,
        ["contentSize"] = $"{file.Bytes} B", ["encodingFormat"] = "application/x-parquet", ["sha256"] = file.Sha256,
    };

    private static JsonObject FileSetOf() => new()
    {
        ["@type"] = "cr:FileSet", ["@id"] = FileSet, ["name"] = FileSet, ["encodingFormat"] = "application/x-parquet",
        ["includes"] = "data/*.parquet",
    };

    private static JsonObject RecordSet(IReadOnlyList<TraceColumn> columns) => new()
    {
        ["@type"] = "cr:RecordSet", ["@id"] = Records, ["name"] = Records,
        ["description"] = "One record is one completion of one problem.",
        ["key"] = new JsonArray(Id("problem_id"), Id("sample_index")),
        ["field"] = new JsonArray([.. columns.Select(Field)]),
    };

    private static JsonObject Field(TraceColumn column)
    {
        using var feature = JsonDocument.Parse(column.Feature);
        var field = new JsonObject { ["@type"] = "cr:Field", ["@id"] = $"{Records}/{column.Name}", ["name"] = column.Name };
        if (!feature.RootElement.TryGetProperty("feature", out var element))
            return With(field, feature.RootElement, column.Name, null);
        (field["isArray"], field["arrayShape"]) = (true, "-1");
        if (element.TryGetProperty("dtype", out _)) return With(field, element, column.Name, null);
        field["subField"] = new JsonArray([.. element.EnumerateObject().Select(part => With(
            new JsonObject { ["@type"] = "cr:Field", ["@id"] = $"{Records}/{column.Name}/{part.Name}", ["name"] = part.Name },
            part.Value, column.Name, part.Name))]);
        return field;
    }

    private static JsonObject With(JsonObject field, JsonElement value, string column, string? part)
    {
        field["dataType"] = TypeOf(value.GetProperty("dtype").GetString()!);
        var source = new JsonObject
        {
            ["fileSet"] = new JsonObject { ["@id"] = FileSet }, ["extract"] = new JsonObject { ["column"] = column },
        };
        if (part is not null) source["transform"] = new JsonObject { ["jsonPath"] = part };
        field["source"] = source;
        return field;
    }

    private static string TypeOf(string type) => type switch
    {
        "string" => "sc:Text",
        "bool" => "sc:Boolean",
        "int32" => "cr:Int32",
        "uint64" => "cr:UInt64",
        "float32" => "cr:Float32",
        _ when type.StartsWith("timestamp", StringComparison.Ordinal) => "sc:DateTime",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No Croissant type is known for it."),
    };

    private static JsonObject Id(string column) => new() { ["@id"] = $"{Records}/{column}" };

    private static void AddProvenance(JsonObject root, Publication publication)
    {
        if (publication.Lineage.Count > 0)
        {
            root["prov:wasDerivedFrom"] = new JsonArray([.. publication.Lineage.Select(step =>
                new JsonObject { ["@id"] = $"urn:sha256:{step.Digest}", ["prov:label"] = step.Name })]);
        }

        root["prov:wasGeneratedBy"] = new JsonObject
        {
            ["@type"] = "prov:Activity", ["prov:label"] = "Completions by a teacher model, graded by verifiers",
            ["prov:wasAssociatedWith"] = new JsonArray([.. publication.Statistics.Teachers.Select(teacher =>
                new JsonObject { ["@type"] = "prov:SoftwareAgent", ["prov:label"] = teacher.Word })]),
        };
    }
}
