"""Where the child begins: told by its parent where the project lies, it goes on in `child`."""

import sys

if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    from ims_portal.workbook_reading.child import main

    main(sys.argv[2])
