using Distill.Storage;

namespace Distill.Data.Tests.Storage;

public sealed class DiskSpaceTests
{
    [Fact]
    public void What_does_not_fit_is_refused_with_what_it_needs_before_anything_is_written()
    {
        using var folder = new TemporaryFolder();
        string place = folder.File("not/made/yet");
        Should.NotThrow(() => DiskSpace.Require(place, 1));
        var refused = Should.Throw<IOException>(() => DiskSpace.Require(place, long.MaxValue));
        refused.Message.ShouldContain($"'{place}' needs 9,223,372,036,854,775,807 bytes; ");
        refused.Message.ShouldContain(" are free there");
        Directory.Exists(folder.File("not")).ShouldBeFalse();
    }
}
