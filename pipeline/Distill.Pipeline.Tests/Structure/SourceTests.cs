using System.Reflection;
using System.Text.RegularExpressions;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>
/// The house can be read in an afternoon: few files, none of them a giant, lines that fit, and a surface that an application needs.
/// Product files are the *.cs of projects that are no tests; what builds generate does not count.
/// </summary>
public sealed partial class SourceTests
{
    private const int MostFiles = 1300, MostLines = 400, MostFilesInFolder = 20, MostColumns = 140;
    private const int MostPublic = 290, MostPublicOfStudent = 50;

    private static readonly string[] Product =
        [.. ProjectFile.All.Where(project => !project.IsTest).SelectMany(project => project.Sources)];

    [Fact]
    public void Lines_fit_into_the_columns_there_are()
    {
        var wide = ProjectFile.All.SelectMany(project => project.Sources).SelectMany(file => File.ReadLines(file)
            .Select((line, index) => (Place: $"{ProjectFile.Relative(file)}:{index + 1}", line.Length))
                .Where(line => line.Length > MostColumns));
        wide.Select(line => $"{line.Place} has {line.Length}").ShouldBeEmpty();
    }

    [Fact]
    public void There_are_not_too_many_files() => Product.Length.ShouldBeLessThanOrEqualTo(MostFiles);

    [Fact]
    public void No_file_is_a_giant() =>
        Product.Select(file => (Name: ProjectFile.Relative(file), Lines: File.ReadLines(file).Count()))
            .Where(file => file.Lines > MostLines).Select(file => $"{file.Name}: {file.Lines}").ShouldBeEmpty();

    [Fact]
    public void No_folder_holds_more_files_than_one_sees_at_once() =>
        Product.GroupBy(file => Path.GetDirectoryName(file)!).Where(folder => folder.Count() > MostFilesInFolder)
            .Select(folder => $"{ProjectFile.Relative(folder.Key)}: {folder.Count()}").ShouldBeEmpty();

    /// <summary>Types that code outside can name, nested ones included, in the libraries that these tests load.</summary>
    [Fact]
    public void Public_is_what_an_application_or_a_plug_in_needs()
    {
        var counts = ProjectFile.All.Where(project => project.IsLibrary && !project.IsBuildTask)
            .ToDictionary(project => project.Name, project => Assembly.Load(project.Name).GetTypes().Count(type => type.IsVisible));
        counts.Values.Sum().ShouldBeLessThanOrEqualTo(MostPublic, string.Join(", ", counts.Select(pair => $"{pair.Key} {pair.Value}")));
        counts["Distill.Student"].ShouldBeLessThanOrEqualTo(MostPublicOfStudent);
    }

    [Fact]
    public void Nothing_is_left_to_be_done_later() =>
        Product.Where(file => Unfinished().IsMatch(File.ReadAllText(file))).Select(ProjectFile.Relative).ShouldBeEmpty();

    /// <summary>Whoever makes the first object of ONNX Runtime loads it, and only before that can its reports be turned off.</summary>
    [Fact]
    public void Reports_of_ONNX_Runtime_are_off_before_it_is_loaded()
    {
        string[] loading =
        [
            .. Product.Where(file => Path.GetFileName(file) != "RuntimeTelemetry.cs" && Loading().IsMatch(File.ReadAllText(file))),
        ];
        loading.Length.ShouldBeGreaterThan(3);
        loading.Where(file => !File.ReadAllText(file).Contains("RuntimeTelemetry.Runtime", StringComparison.Ordinal))
            .Select(ProjectFile.Relative).ShouldBeEmpty("'_ = RuntimeTelemetry.Runtime;' comes first");
    }

    [GeneratedRegex(@"new (SessionOptions|InferenceSession|OrtMemoryInfo|OrtCUDAProviderOptions)\b|OrtEnv\.Instance\(\)")]
    private static partial Regex Loading();

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|NotImplementedException")]
    private static partial Regex Unfinished();
}
