using System.Text;
using System.Text.RegularExpressions;
using Distill.Pipeline.Tests.Structure;

namespace Distill.Pipeline.Tests.Packaging;

/// <summary>
/// The lines of C# that the documentation shows, built and run by an application that has nothing but the packages. What a block leaves out
/// is what any reader has before it: a client, a host's builder.
/// </summary>
public sealed partial class DocumentedLinesTests
{
    private const string Model = "teacher/models/tiny-reasoner";

    private static readonly string[] s_documents =
    [
        "README.md", "docs/apps.md", "docs/serving.md", "teacher/Distill.Client/README.md", "data/Distill.Verification/README.md",
        "data/Distill.Data/README.md",
    ];

    [Fact]
    public void Every_block_of_the_documentation_builds_and_runs()
    {
        PackageFeed.Require();
        var blocks = s_documents.SelectMany(document => MarkdownText.Read(document).CodeBlocks()
            .Where(block => CSharp().IsMatch(block.Text)).Select(block => (Place: $"{document}:{block.Line}", block.Text))).ToList();
        blocks.Count.ShouldBeGreaterThan(6);
        using var folder = new TemporaryFolder();
        PackageFeed.Connect(folder);
        string project = folder.File("app/App.csproj", Project);
        string text = Program(blocks);
        folder.File("app/Program.cs", text);
        TestContext.Current.AddAttachment("Program.cs", text);
        string program = Path.Combine(PackageFeed.Build(project), "App.dll");
        var (code, output, error) = PackageFeed.Run("dotnet", [program], RepositoryFolder.Root);
        code.ShouldBe(0, output + error);
        output.Split('\n').Count(line => line.StartsWith("== ", StringComparison.Ordinal)).ShouldBe(blocks.Count);
        output.ShouldContain("16"); // (3 + 4) * 2, as the small teacher sees it
    }

    private static string Project =>
        $"""
        <Project Sdk="Microsoft.NET.Sdk.Web">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Distill.Client" Version="{PackageFeed.Version}" />
            <PackageReference Include="Distill.Data" Version="{PackageFeed.Version}" />
          </ItemGroup>
        </Project>
        """;

    private static string Program(IReadOnlyList<(string Place, string Text)> blocks)
    {
        string[] usings = ["Distill.Client", "Distill.Generation", "Microsoft.Extensions.AI"];
        var named = blocks.SelectMany(block => Using().Matches(block.Text).Select(match => match.Groups[1].Value));
        var text = new StringBuilder();
        foreach (string name in usings.Concat(named).Distinct()) text.AppendLine($"using {name};");
        foreach (var (index, block) in blocks.Index())
            text.AppendLine($"Console.WriteLine(\"\\n== {block.Place}\");\nawait Block{index}();");
        foreach (var (index, block) in blocks.Index())
        {
            string body = Using().Replace(block.Text, "");
            text.AppendLine($"static async Task Block{index}()\n{{");
            bool hosts = body.Contains("builder.", StringComparison.Ordinal);
            if (hosts) text.AppendLine("var builder = WebApplication.CreateBuilder([\"--urls\", \"http://127.0.0.1:0\"]);");
            if (Takes(body, "client")) text.AppendLine($"using var client = DistillChatClient.Open(\"{Model}\");");
            text.AppendLine(body);
            if (hosts)
            {
                if (!body.Contains("builder.Build()", StringComparison.Ordinal)) text.AppendLine("await using var app = builder.Build();");
                text.AppendLine("await app.StartAsync();\nawait app.StopAsync();");
            }

            text.AppendLine("await Task.CompletedTask;\n}");
        }

        return text.ToString();
    }

    // Used, and not made in the block itself or given to a lambda of it.
    private static bool Takes(string body, string name) =>
        Regex.IsMatch(body, $@"\b{name}\.") && !Regex.IsMatch(body, $@"(var|IChatClient) {name}\b");

    [GeneratedRegex(@"^(using var|await |var |builder\.|using [\w.]+;)", RegexOptions.Multiline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"^using ([\w.]+);\n", RegexOptions.Multiline)]
    private static partial Regex Using();
}
